package fetch

// WithoutQuirk takes the quirk called name from p until restore is called.
func WithoutQuirk(p Profile, name string) (restore func()) {
	for q := range quirks {
		if quirks[q].Name == name {
			had := quirkSets[p][q]
			quirkSets[p][q] = false
			return func() { quirkSets[p][q] = had }
		}
	}
	panic("no quirk is called " + name)
}
