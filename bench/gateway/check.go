package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/crossorigin/cors/header"
)

const (
	goodOrigin = "https://app.example.com"
	evilOrigin = "https://app.example.org"
	brokenPath = "/down/users" // its upstream does not listen
)

// check asks a proxy what the policy says of each kind of request, and returns
// what it gets wrong, so that nobody is fast for doing less.
func check(address string) ([]string, error) {
	var faults []string
	for _, tt := range []struct {
		name     string
		method   string
		path     string
		origin   string
		asked    string // names; for a preflight
		status   int    // 0 where any will do
		readable bool
	}{
		{"an allowed preflight", "OPTIONS", "/users", goodOrigin, "authorization,content-type", 204, true},
		{"an allowed preflight without names", "OPTIONS", "/users", goodOrigin, "", 204, true},
		{"a preflight of another origin", "OPTIONS", "/users", evilOrigin, "authorization", 403, false},
		{"a preflight for another name", "OPTIONS", "/users", goodOrigin, "authorization,x-evil", 403, false},
		{"a GET that is allowed", "GET", "/users", goodOrigin, "", 200, true},
		{"a GET of another origin", "GET", "/users", evilOrigin, "", 200, false},
		{"a GET without an origin", "GET", "/users", "", "", 200, false},
		{"an error of the proxy's own", "GET", brokenPath, goodOrigin, "", 0, true},
	} {
		r, err := http.NewRequest(tt.method, "http://"+address+tt.path, nil)
		if err != nil {
			return nil, err
		}
		if tt.origin != "" {
			r.Header.Set(header.Origin, tt.origin)
		}
		if tt.method == http.MethodOptions {
			r.Header.Set(header.AccessControlRequestMethod, "PUT")
		}
		if tt.asked != "" {
			r.Header.Set(header.AccessControlRequestHeaders, tt.asked)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", tt.name, err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if tt.status != 0 && res.StatusCode != tt.status {
			faults = append(faults, fmt.Sprintf("%s gets %d", tt.name, res.StatusCode))
		}
		allow := res.Header[header.AccessControlAllowOrigin]
		switch readable := slices.Equal(allow, []string{goodOrigin}) && res.Header.Get(header.AccessControlAllowCredentials) == "true"; {
		case tt.readable && !readable:
			faults = append(faults, fmt.Sprintf("%s cannot be read: Access-Control-Allow-Origin is %q", tt.name, allow))
		case !tt.readable && allow != nil:
			faults = append(faults, fmt.Sprintf("%s has Access-Control-Allow-Origin: %q", tt.name, allow))
		case tt.readable && tt.asked != "" && !strings.EqualFold(res.Header.Get(header.AccessControlAllowHeaders), tt.asked) &&
			!strings.EqualFold(strings.ReplaceAll(res.Header.Get(header.AccessControlAllowHeaders), " ", ""), tt.asked):
			faults = append(faults, fmt.Sprintf("%s has Access-Control-Allow-Headers: %q", tt.name, res.Header.Get(header.AccessControlAllowHeaders)))
		}
		if vary, _ := header.List(res.Header["Vary"]); !slices.ContainsFunc(vary, func(name string) bool { return strings.EqualFold(name, header.Origin) }) {
			faults = append(faults, tt.name+" has no Vary: Origin")
		}
	}
	return faults, nil
}
