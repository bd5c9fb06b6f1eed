package agree_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

const server = "https://api.example/x"

// A trial is a policy on a server, and a fetch by a page.
type trial struct {
	policy  cors.Policy
	page    string
	request fetch.Request
}

var (
	patterns = []string{"https://a.example", "https://b.example:8443", "https://*.c.example", "https://*-x.d.example", "http://localhost:*", "tauri://localhost", "null", "*"}
	pages    = []string{"https://a.example", "https://b.example:8443", "https://b.example", "https://x.c.example", "https://y.x.c.example", "https://c.example",
		"https://1-x.d.example", "https://1.1-x.d.example", "http://localhost:3000", "http://localhost", "https://evil.example", "null"}
	methods = []string{"GET", "HEAD", "POST", "PUT", "put", "DELETE", "PATCH", "patch", "OPTIONS", "X-Method"}
	names   = []string{"Authorization", "X-A", "x-b", "Content-Type", "Accept", "Range", "X_c"}
	values  = []string{"1", "application/json", "text/plain", "bytes=0-", strings.Repeat("v", 129)}
	exposed = []string{"X-One", "X-Two", "Content-Length", "*"}
)

func some(pool ...string) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 0, len(pool), rapid.ID)
}

var trials = rapid.Custom(func(t *rapid.T) trial {
	p := cors.Policy{
		Origins:         some(patterns...).Draw(t, "origins"),
		Methods:         some("PUT", "DELETE", "PATCH", "patch", "OPTIONS", "X-Method", "GET", "*").Draw(t, "methods"),
		RequestHeaders:  some(append(names, "*")...).Draw(t, "request headers"),
		ExposedHeaders:  some(exposed...).Draw(t, "exposed"),
		Credentials:     rapid.Bool().Draw(t, "credentials"),
		MaxAge:          rapid.SampledFrom([]time.Duration{0, -1, time.Second, time.Hour}).Draw(t, "max age"),
		PreflightStatus: rapid.SampledFrom([]int{0, 200, 204, 299}).Draw(t, "preflight status"),
		RefusedStatus:   rapid.SampledFrom([]int{0, 200, 204, 403}).Draw(t, "refused status"),
		OverrideHandler: rapid.Bool().Draw(t, "override"),

		InsecureAllowNull: true, InsecureAllowHTTP: true, InsecureReflectAnyOrigin: true,
	}
	if p.Credentials {
		p.ExposedHeaders = slices.DeleteFunc(p.ExposedHeaders, func(n string) bool { return n == "*" })
	}
	r := fetch.Request{
		URL:             server,
		Method:          rapid.SampledFrom(methods).Draw(t, "method"),
		Credentials:     rapid.SampledFrom([]fetch.Credentials{fetch.CredentialsOmit, fetch.CredentialsSameOrigin, fetch.CredentialsInclude}).Draw(t, "credentials mode"),
		UploadListeners: rapid.Bool().Draw(t, "upload listeners"),
	}
	for _, name := range some(names...).Draw(t, "headers") {
		r.Header = append(r.Header, header.Field{Name: name, Value: rapid.SampledFrom(values).Draw(t, name)})
	}
	return trial{p, rapid.SampledFrom(pages).Draw(t, "page"), r}
})

// Both halves agree with a plain reading of the policy: the page reads the
// response if and only if the policy says so, sees the headers that it exposes
// and no others, and asks no handler for what it refuses.
func TestAPageHasAccessExactlyWhenThePolicySaysSo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trial := trials.Draw(rt, "trial")
		m, err := cors.New(trial.policy)
		if err != nil {
			rt.Fatalf("%+v: %v", trial.policy, err)
		}
		var reached []string
		page := corstest.From(t, trial.page, m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			reached = append(reached, r.Method)
			for _, name := range []string{"X-One", "X-Two", "Content-Language"} {
				w.Header().Set(name, "1")
			}
		})))
		for _, when := range []string{"at first", "again, from the preflight cache perhaps"} {
			reached = nil
			r := trial.request
			res, err := page.Page.Fetch(t.Context(), &r)
			var blocked *fetch.BlockedError
			if err != nil && !errors.As(err, &blocked) {
				rt.Fatalf("no request: %v", err)
			}
			if want := mayRead(trial); want != (err == nil) {
				rt.Fatalf("%s: the page may read: %t, want %t (%v)", when, err == nil, want, err)
			}
			wantReached := []string{header.NormalizeMethod(r.Method)}
			if needsPreflight(r) && !preflightMaySucceed(trial) {
				wantReached = nil
			}
			if diff := cmp.Diff(wantReached, reached); diff != "" {
				rt.Fatalf("%s: what reached the handler: -want +got:\n%s", when, diff)
			}
			if err != nil {
				continue
			}
			res.Body.Close()
			for _, name := range []string{"X-One", "X-Two", "Content-Language"} {
				if _, got := res.Get(name); got != maySee(trial, name) {
					rt.Fatalf("%s: the page sees %s: %t, want %t", when, name, got, maySee(trial, name))
				}
			}
		}
	})
}

// What is asked for is what is answered: no method, no name and no origin beyond
// the request's own.
func TestNoAnswerGoesBeyondTheQuestion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trial := trials.Draw(rt, "trial")
		m, err := cors.New(trial.policy)
		if err != nil {
			rt.Fatalf("%+v: %v", trial.policy, err)
		}
		page := corstest.From(t, trial.page, m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		_, err = page.Page.Fetch(t.Context(), &trial.request)
		var blocked *fetch.BlockedError
		if !errors.As(err, &blocked) && err != nil {
			rt.Fatalf("no request: %v", err)
		}
		result := page.Fetch(&trial.request)
		for _, e := range result.Exchanges {
			for _, f := range e.ResponseHeader {
				ok := true
				switch http.CanonicalHeaderKey(f.Name) {
				case header.AccessControlAllowOrigin:
					ok = f.Value == value(e.RequestHeader, header.Origin) || f.Value == "*"
				case header.AccessControlAllowMethods:
					ok = f.Value == value(e.RequestHeader, header.AccessControlRequestMethod)
				case header.AccessControlAllowHeaders:
					ok = f.Value == value(e.RequestHeader, header.AccessControlRequestHeaders)
				case header.AccessControlAllowPrivateNetwork:
					ok = false
				}
				if !ok {
					rt.Fatalf("%v was answered with %s: %s", e.RequestHeader, f.Name, f.Value)
				}
			}
		}
	})
}

func value(fields []header.Field, name string) string {
	for _, f := range fields {
		if header.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func mayRead(t trial) bool {
	return allowsOrigin(t.policy, t.page) && allowsCredentials(t) && (!needsPreflight(t.request) || preflightMaySucceed(t))
}

func allowsCredentials(t trial) bool {
	return t.request.Credentials != fetch.CredentialsInclude || t.policy.Credentials
}

func allowsOrigin(p cors.Policy, page string) bool {
	return slices.ContainsFunc(p.Origins, func(pattern string) bool {
		inLabel := func(s string) bool { return s != "" && !strings.Contains(s, ".") }
		switch pattern {
		case "*":
			return true
		case "https://*.c.example":
			sub, ok := strings.CutSuffix(page, ".c.example")
			return ok && sub != "https://"
		case "https://*-x.d.example":
			sub, ok := strings.CutSuffix(page, "-x.d.example")
			return ok && inLabel(strings.TrimPrefix(sub, "https://"))
		case "http://localhost:*":
			return page == "http://localhost" || strings.HasPrefix(page, "http://localhost:")
		}
		return page == pattern
	})
}

func needsPreflight(r fetch.Request) bool {
	method := header.NormalizeMethod(r.Method)
	return r.UploadListeners || !slices.Contains([]string{"GET", "HEAD", "POST"}, method) || len(header.UnsafeRequestNames(r.Header)) > 0
}

func preflightMaySucceed(t trial) bool {
	p, method := t.policy, header.NormalizeMethod(t.request.Method)
	if !allowsOrigin(p, t.page) || !allowsCredentials(t) {
		return false
	}
	if !slices.Contains([]string{"GET", "HEAD", "POST", "*"}, method) && !slices.Contains(p.Methods, method) && !slices.Contains(p.Methods, "*") {
		return false
	}
	for _, name := range header.UnsafeRequestNames(t.request.Header) {
		listed := slices.ContainsFunc(p.RequestHeaders, func(n string) bool { return strings.EqualFold(n, name) })
		if !listed && (name == "authorization" || !slices.Contains(p.RequestHeaders, "*")) {
			return false
		}
	}
	return true
}

func maySee(t trial, name string) bool {
	if name == "Content-Language" {
		return true // safelisted
	}
	p := t.policy
	return slices.Contains(p.ExposedHeaders, name) || slices.Contains(p.ExposedHeaders, "*") && t.request.Credentials != fetch.CredentialsInclude
}

func (t trial) String() string {
	return fmt.Sprintf("%+v", struct {
		cors.Policy
		Page string
		fetch.Request
	}{t.policy, t.page, t.request})
}
