package scenario

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// Of makes a scenario of what went over the wire for f, a fetch of a page of
// origin page: each hop answers as its server did, and the last with body. What
// was never asked for answers 404. Paths, cookies and passwords are left out.
func Of(id string, f Fetch, page string, exchanges []*fetch.Exchange, body string) Scenario {
	letters := map[string]string{page: "{A}"}
	letter := func(rawURL string) string {
		u, err := url.Parse(rawURL)
		if err != nil {
			return "{B}"
		}
		o := u.Scheme + "://" + u.Host
		if letters[o] == "" {
			letters[o] = "{" + string("ABCD"[min(len(letters), 3)]) + "}"
		}
		return letters[o]
	}
	s := Scenario{ID: id, Hops: []Hop{}}
	hop := Hop{Actual: Answer{Status: 404, Headers: []Field{}}, Preflight: Answer{Status: 404, Headers: []Field{}}}
	next := hop
	f.URL = letter(f.URL) + "/0"
	for _, e := range exchanges {
		at := letter(e.URL) + "/" + strconv.Itoa(len(s.Hops))
		if last := len(s.Hops) - 1; last >= 0 {
			redirectTo(&s.Hops[last].Actual, at)
		}
		if e.Preflight {
			next.Preflight = answerOf(e)
			continue
		}
		next.Actual = answerOf(e)
		s.Hops = append(s.Hops, next)
		next = hop
	}
	if last := len(s.Hops) - 1; last >= 0 && next.Preflight.Status == 404 {
		s.Hops[last].Actual.Body = body
	} else {
		s.Hops = append(s.Hops, next) // the preflight failed, or nothing was sent
	}
	for i := range s.Hops {
		for _, a := range []*Answer{&s.Hops[i].Actual, &s.Hops[i].Preflight} {
			for j := range a.Headers {
				for o, placeholder := range letters {
					a.Headers[j][1] = strings.ReplaceAll(a.Headers[j][1], o, placeholder)
				}
			}
		}
	}
	secret := append([]Field{}, f.Headers...)
	for i, h := range secret {
		if header.EqualFold(h[0], "Authorization") {
			secret[i][1] = "secret"
		}
	}
	f.Headers = secret
	s.Fetches = []Fetch{f}
	return s
}

// redirectTo replaces the Location of a.
func redirectTo(a *Answer, at string) {
	for i, f := range a.Headers {
		if header.EqualFold(f[0], "Location") {
			a.Headers[i][1] = at
		}
	}
}

func answerOf(e *fetch.Exchange) Answer {
	a := Answer{Status: e.Status, Headers: []Field{}}
	if a.Status == 0 {
		a.Status = 502 // no answer came
	}
	for _, f := range e.ResponseHeader {
		switch header.Lower(f.Name) {
		case "connection", "content-length", "transfer-encoding", "keep-alive", "date", "set-cookie", "content-encoding", "strict-transport-security", "alt-svc":
			continue // of the connection, or of that server alone
		}
		a.Headers = append(a.Headers, Field{f.Name, latin1(f.Value)})
	}
	return a
}
