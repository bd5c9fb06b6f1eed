package fetch_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A hostile server answers every request, preflights too, with the same bytes.
// Whatever they are, nothing panics, and the page reads nothing that a
// transcription of the standard, byte by byte, refuses.
//
// https://fetch.spec.whatwg.org/#concept-cors-check
// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0
// https://fetch.spec.whatwg.org/#concept-filtered-response-cors
func FuzzResponse(f *testing.F) {
	for _, head := range []string{
		"Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\nSet-Cookie: a=1",
		"Access-Control-Allow-Origin: https://app.example.com\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Methods: PUT\r\nAccess-Control-Allow-Headers: x-a",
		"access-control-allow-origin: https://app.example.com\r\nACCESS-CONTROL-ALLOW-ORIGIN: https://app.example.com",
		"Access-Control-Allow-Origin: null\r\nLocation: https://other.example/",
		"Access-Control-Allow-Origin:\r\n *\r\nAccess-Control-Allow-Methods: *\r\nAccess-Control-Allow-Headers: *, authorization\r\nAccess-Control-Max-Age: 99999999999",
		"Access-Control-Allow-Origin: https://app.example.com\x00\r\nContent-Encoding: gzip, deflate\r\nTransfer-Encoding: chunked",
		"Access-Control-Allow-Origin : *\r\nAccess-Control-Allow-Credentials: true,\r\nX-A: \xff\r\nAccess-Control-Expose-Headers: X-A, Set-Cookie",
		"Access-Control-Allow-Origin: *\r\nCache-Control: max-age=9, stale-while-revalidate\r\nVary: origin, *\r\nETag: \"a\"\r\nDate: 0\r\nAge: -1",
		"Access-Control-Allow-Origin: *, *\r\nCross-Origin-Resource-Policy: same-site\r\nTiming-Allow-Origin: \"*\"\r\nReferrer-Policy: unsafe-url, x",
	} {
		for i, status := range []string{"200 OK", "302 Found", "204 No Content", "401 x", "304 x", "206 x", "999"} {
			f.Add([]byte("HTTP/1.1 "+status+"\r\n"+head+"\r\n\r\nhello"), uint8(i*37))
		}
	}
	f.Fuzz(func(t *testing.T, answer []byte, how uint8) {
		request := &fetch.Request{
			URL:         "https://api.example.com/users",
			Credentials: []fetch.Credentials{fetch.CredentialsOmit, fetch.CredentialsInclude}[how&1],
			Mode:        []fetch.Mode{fetch.ModeCORS, fetch.ModeNoCORS}[how>>1&1],
		}
		if how>>2&1 == 1 && request.Mode == fetch.ModeCORS {
			request.Method, request.Header = "PUT", []header.Field{{Name: "X-A", Value: "1"}, {Name: "Authorization", Value: "1"}}
		}
		profile := fetch.Profile(how >> 3 & 3)
		page := (&fetch.Browser{Profile: profile, Limits: fetch.Limits{BodyBytes: 1 << 16}, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			return http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), r)
		})}).Open("https://app.example.com/")
		for range 2 { // the second may find something in a cache
			res, err := page.Fetch(t.Context(), request)
			if err != nil {
				continue
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if profile == fetch.Standard {
				judge(t, request, res, body)
			}
		}
	})
}

// judge holds what the page got against the transcription.
func judge(t *testing.T, request *fetch.Request, res *fetch.Response, body []byte) {
	const page = "https://app.example.com"
	if res.Type == fetch.TypeOpaque || res.Type == fetch.TypeOpaqueRedirect {
		if res.Status != 0 || len(res.Header) > 0 || len(body) > 0 {
			t.Errorf("an opaque response shows status %d, headers %q and body %q", res.Status, res.Header, body)
		}
		return
	}
	origin, last, tainted := page, "", false
	for _, e := range res.Exchanges {
		at := strings.Join(strings.SplitN(e.URL, "/", 4)[:3], "/")
		if last != "" && at != last && last != page {
			origin = "null"
		}
		last = at
		tainted = tainted || at != page
		if tainted && !readable(origin, request, e.ResponseHeader) {
			t.Fatalf("the page reads a response that the CORS check refuses: %+v", e)
		}
		if e.Preflight && (e.Status < 200 || e.Status > 299 || !covers(request, e.ResponseHeader)) {
			t.Fatalf("a preflight is taken that does not allow the request: %+v", e)
		}
	}
	exposed := strings.Split(joined(res.Exchanges[len(res.Exchanges)-1].ResponseHeader, "access-control-expose-headers"), ",")
	for _, f := range res.Header {
		name := strings.ToLower(f.Name)
		listed := slices.ContainsFunc(exposed, func(e string) bool {
			e = strings.ToLower(strings.Trim(e, " \t"))
			return e == name || e == "*" && request.Credentials != fetch.CredentialsInclude
		})
		safelisted := strings.Contains(" cache-control content-language content-length content-type expires last-modified pragma ", " "+name+" ")
		if tainted && !safelisted && !listed || name == "set-cookie" || name == "set-cookie2" {
			t.Errorf("the page sees %q, and %q are exposed", f, exposed)
		}
	}
}

// readable transcribes the CORS check.
func readable(origin string, request *fetch.Request, list []header.Field) bool {
	got := joined(list, "access-control-allow-origin")
	switch {
	case !present(list, "access-control-allow-origin"):
		return false
	case request.Credentials != fetch.CredentialsInclude && got == "*":
		return true
	case got != origin:
		return false
	case request.Credentials != fetch.CredentialsInclude:
		return true
	}
	return joined(list, "access-control-allow-credentials") == "true"
}

// covers transcribes steps 7.5 to 7.7 of CORS-preflight fetch for the requests
// of this test.
func covers(request *fetch.Request, list []header.Field) bool {
	has := func(name, value string, fold bool) bool {
		for v := range strings.SplitSeq(joined(list, name), ",") {
			if v = strings.Trim(v, " \t"); v == value || fold && strings.EqualFold(v, value) {
				return true
			}
		}
		return false
	}
	star := request.Credentials != fetch.CredentialsInclude
	const methods, names = "access-control-allow-methods", "access-control-allow-headers"
	return (has(methods, request.Method, false) || star && has(methods, "*", false)) &&
		has(names, "authorization", true) && (has(names, "x-a", true) || star && has(names, "*", false))
}

func joined(list []header.Field, name string) string {
	var values []string
	for _, f := range list {
		if strings.ToLower(f.Name) == name {
			values = append(values, f.Value)
		}
	}
	return strings.Join(values, ", ")
}

func present(list []header.Field, name string) bool {
	return slices.ContainsFunc(list, func(f header.Field) bool { return strings.ToLower(f.Name) == name })
}
