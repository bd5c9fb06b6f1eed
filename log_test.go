package cors_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/origin"
)

// logger returns a logger and what it has written, without times.
func logger() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), &b
}

func TestLogRefusals(t *testing.T) {
	policy := cors.Policy{Origins: []string{"https://a.example"}, Methods: []string{"PUT"}}
	tests := []struct {
		row string
		r   *http.Request
		log string
	}{
		{"what is not CORS is not logged", request("GET", ""), ""},
		{"nor what is allowed", request("GET", "https://a.example"), ""},
		{"a refused origin", request("GET", "https://b.example"),
			"level=INFO msg=\"CORS refused\" kind=actual reason=origin origin=https://b.example method=GET host=api.example path=/x\n"},
		{"a refused method", request("OPTIONS", "https://a.example", "Access-Control-Request-Method", "DELETE"),
			"level=INFO msg=\"CORS refused\" kind=preflight reason=method name=DELETE origin=https://a.example method=OPTIONS host=api.example path=/x\n"},
		{"a refused name", request("OPTIONS", "https://a.example", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-b"),
			"level=INFO msg=\"CORS refused\" kind=preflight reason=request-header name=x-b origin=https://a.example method=OPTIONS host=api.example path=/x\n"},
		{"the server's own origin is not logged", request("POST", "https://api.example", "Sec-Fetch-Site", "same-origin"), ""},
		{"cookies and other headers are not logged", request("GET", "https://b.example", "Cookie", "secret", "Authorization", "secret"),
			"level=INFO msg=\"CORS refused\" kind=actual reason=origin origin=https://b.example method=GET host=api.example path=/x\n"},
		{"bytes that would forge a line are escaped", request("GET", "https://b\n\x1b[31m.example\xff\u2028"),
			"level=INFO msg=\"CORS refused\" kind=actual reason=origin-syntax origin=https://b\\n\\x1b[31m.example\\xff\\u2028 method=GET host=api.example path=/x\n"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			l, log := logger()
			m := must(cors.New(policy))
			m.Observe(cors.LogRefusals(l))
			m.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), tt.r)
			if got := log.String(); got != tt.log {
				t.Errorf("got  %swant %s", got, tt.log)
			}
		})
	}
}

func TestLogRefusalsIsShortWhateverIsSent(t *testing.T) {
	l, log := logger()
	m := must(cors.New(cors.Policy{Origins: []string{"https://a.example"}}))
	m.Observe(cors.LogRefusals(l))
	long := strings.Repeat("\x00", 1<<20)
	r := request("OPTIONS", "https://a.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", strings.Repeat("x", 10000))
	r.Host, r.URL.Path = long, long
	m.DecideHTTP(r)
	if log.Len() < 100 || log.Len() > 8000 {
		t.Errorf("the line has %d bytes", log.Len())
	}
}

func TestLogRefusalsIsRateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, log := logger()
		m := must(cors.New(cors.Policy{Origins: []string{"https://a.example"}}))
		m.Observe(cors.LogRefusals(l))
		for range 1000 {
			m.DecideHTTP(request("GET", "https://b.example"))
		}
		if got := strings.Count(log.String(), "\n"); got != 10 {
			t.Errorf("1,000 refusals at once made %d lines, want 10", got)
		}
		log.Reset()
		time.Sleep(time.Second)
		m.DecideHTTP(request("GET", "https://b.example"))
		m.DecideHTTP(request("GET", "https://b.example"))
		if got := log.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "omitted") != 1 || !strings.Contains(got, "omitted=990\n") {
			t.Errorf("a second later: %swant two lines, the first with omitted=990", got)
		}
	})
}

func TestLogRefusalsTellsWhatFailed(t *testing.T) {
	l, log := logger()
	m := must(cors.New(cors.Policy{OriginSource: func(context.Context, origin.Origin) (bool, error) {
		return false, errors.New("no connection")
	}}))
	m.Observe(cors.LogRefusals(l))
	m.DecideHTTP(request("GET", "https://b.example"))
	want := "level=ERROR msg=\"CORS refused\" kind=actual reason=origin-source origin=https://b.example method=GET host=api.example path=/x err=\"no connection\"\n"
	if got := log.String(); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func ExampleLogRefusals() {
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	mw.Observe(cors.LogRefusals(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))))
	r := httptest.NewRequest("GET", "http://api.example.com/users", nil)
	r.Header.Set("Origin", "https://evil.example")
	mw.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg="CORS refused" kind=actual reason=origin origin=https://evil.example method=GET host=api.example.com path=/users
}

// request is a request to http://api.example/x with these headers.
func request(method, origin string, fields ...string) *http.Request {
	r := httptest.NewRequest(method, "http://api.example/x", nil)
	if origin != "" {
		r.Header["Origin"] = []string{origin}
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header[fields[i]] = append(r.Header[fields[i]], fields[i+1])
	}
	return r
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
