package fetch

// A Profile says whose behaviour a [Browser] shows.
type Profile uint8

// The profiles. Standard is the Fetch Standard; the others are what these
// browsers really do, quirk by quirk.
const (
	Standard Profile = iota
	Chromium         // 156
	Firefox          // ESR 153
	WebKit           // WebKitGTK 2.50
)

func (p Profile) String() string {
	switch p {
	case Chromium:
		return "chromium"
	case Firefox:
		return "firefox"
	case WebKit:
		return "webkit"
	}
	return "standard"
}
