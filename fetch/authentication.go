package fetch

import (
	"encoding/base64"
	"sync"

	"github.com/crossorigin/cors/origin"
)

// authorizationValue is a URL converted to an `Authorization` value.
func authorizationValue(u *urlRecord) string {
	username, password := u.credentials()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}

// authEntries are the authentication entries: one for each origin, since no
// realm is asked about.
//
// https://fetch.spec.whatwg.org/#authentication-entry
type authEntries struct {
	mu      sync.Mutex
	entries map[origin.Origin]string
}

func (a *authEntries) get(u *urlRecord) (value string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	value, ok = a.entries[u.origin]
	return value, ok
}

func (a *authEntries) set(u *urlRecord) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.entries == nil {
		a.entries = map[origin.Origin]string{}
	}
	a.entries[u.origin] = authorizationValue(u)
}
