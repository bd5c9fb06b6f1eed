package audit

import (
	"context"
	"strings"

	"github.com/crossorigin/cors/fetch"
)

// hostCharacters are those beyond letters, digits and dots that browsers have in
// names that resolve, as a page at each was seen to send them in Origin.
var hostCharacters = []struct {
	characters string
	browsers   []fetch.Profile
}{
	{"-_", everyBrowser},
	{"$+", []fetch.Profile{fetch.Firefox, fetch.WebKit}},
	{"!\"&'()*,=`{}~", []fetch.Profile{fetch.WebKit}},
}

// whoHas are the browsers that can have a page of the given origin; nil for all.
func whoHas(text string) []fetch.Profile {
	_, host, _ := strings.Cut(text, "://")
	for _, row := range hostCharacters[1:] {
		if strings.ContainsAny(host, row.characters) {
			return row.browsers
		}
	}
	return nil
}

// characters asks as pages in whose names a special character follows base, for
// patterns that take the name to end there.
func (q *inquiry) characters(ctx context.Context, base string) {
	for _, row := range hostCharacters {
		severity := Medium // in some browsers
		if len(row.browsers) == len(everyBrowser) {
			severity = High
		}
		for _, c := range row.characters {
			at := base + string(c) + "." + q.word(4) + ".com"
			if c == '-' {
				at = base + "-" + q.word(4) + ".com" // no label ends with a hyphen
			}
			q.reportAll("special-character", severity, q.any(ctx, at))
		}
	}
}
