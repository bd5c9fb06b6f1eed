package explain_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// counting counts what is sent.
type counting struct {
	web
	sent []string
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent = append(c.sent, r.Method)
	return c.web.RoundTrip(r)
}

func TestAskAll(t *testing.T) {
	auth := []header.Field{{Name: "Authorization", Value: "Bearer abcdef123456"}}
	star := preflightThen(says(204, acao, app, acam, "PUT", acah, "*"), says(200, acao, app))
	tests := []struct {
		row     string
		request fetch.Request
		web     func(*http.Request) answer
		want    string // of each browser
		differs string
		sent    string
	}{
		{
			"all agree, and the server is asked once",
			to(api), always(says(200)), "blocked blocked blocked", "", "GET",
		},
		{
			"a preflight is asked for once, too",
			fetch.Request{URL: api, Method: "PUT"}, preflightThen(says(204, acao, app, acam, "PUT"), says(200, acao, app)), "works works works", "", "OPTIONS PUT",
		},
		{
			"a star covers Authorization in browsers",
			fetch.Request{URL: api, Header: auth}, star, "works works works",
			"The standard blocks it; Chromium, Firefox and Safari (WebKit) let it through all the same. Why: * covers Authorization (Chromium, Firefox and Safari (WebKit)).",
			"OPTIONS GET GET GET",
		},
		{
			"what may change something is not sent for a comparison",
			fetch.Request{URL: api, Method: "PUT", Header: auth}, star, "works? works? works?",
			"The standard blocks it; Chromium, Firefox and Safari (WebKit) let it through all the same. Why: * covers Authorization (Chromium, Firefox and Safari (WebKit)).",
			"OPTIONS",
		},
		{
			"a client hint needs a preflight outside of Chromium",
			fetch.Request{URL: api, Header: []header.Field{{Name: "DPR", Value: "2"}}}, preflightThen(says(204, acao, app), says(200, acao, app)), "works blocked blocked",
			"It works in Chromium and is blocked in Firefox and Safari (WebKit). Why: client hints are safelisted (Chromium).", "OPTIONS GET",
		},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			c := &counting{web: tt.web}
			d, err := explain.AskAll(t.Context(), &fetch.Browser{Transport: c}, explain.Question{Page: app + "/", Request: &tt.request})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range d.Browsers {
				said := string(o.Verdict)
				if o.NotTried {
					said += "?"
				}
				got = append(got, said)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("browsers: %s, want %s", s, tt.want)
			}
			if s := d.Difference(explain.English); s != tt.differs {
				t.Errorf("difference: %q, want %q", s, tt.differs)
			}
			if s := strings.Join(c.sent, " "); s != tt.sent {
				t.Errorf("sent %s, want %s", s, tt.sent)
			}
		})
	}
}

// No output holds a secret, wherever a server puts it, unless that is asked for.
func TestSecrets(t *testing.T) {
	const cookie, token, key, password = "c00kie-value-1", "t0ken-value-2", "key-value-3", "passw0rd-4"
	echo := says(302, acao, token, "Set-Cookie", "sid="+cookie+"; HttpOnly", "X-Echo", key, "Access-Control-Allow-Credentials", "true",
		"Location", "https://me:"+password+"@cdn.example.net/?access_token="+token)
	ask := func(show bool) string {
		request := fetch.Request{
			URL: "https://api.example.com/users?api_key=" + key + "&page=2", Method: "GET", Credentials: include,
			Header: []header.Field{{Name: "X-Api-Key", Value: key}, {Name: "Authorization", Value: "Bearer " + token}},
		}
		q := explain.Question{Page: app + "/?session=" + key, Request: &request, Cookies: []string{"sid=" + cookie}, ShowSecrets: show}
		w := preflightThen(says(204, acao, app, acac, "true", acah, "authorization, x-api-key"), echo)
		d, err := explain.AskAll(t.Context(), &fetch.Browser{Transport: web(w)}, q)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, l := range []explain.Language{explain.English, explain.Japanese} {
			fmt.Fprintf(&all, "%s%s%+v", text(d.Text(explain.Amount{Language: l, Consoles: browsers, Servers: explain.Servers()})), d.SVG(l), d.Record(l))
		}
		return all.String()
	}
	for _, secret := range []string{cookie, token, key, password} {
		if said := ask(false); strings.Contains(said, secret) {
			t.Errorf("%q is told:\n%s", secret, said)
		}
	}
	if said := ask(true); !strings.Contains(said, token) || !strings.Contains(said, cookie) {
		t.Errorf("secrets are hidden though they are asked for:\n%s", said)
	}
	if said := ask(false); !strings.Contains(said, "page=2") {
		t.Errorf("what is no secret is hidden:\n%s", said)
	}
}
