package demo

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossorigin/cors"
)

// decide has ds observe n requests of a page, one path each.
func decide(t *testing.T, ds *decisions, n int) {
	t.Helper()
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	mw.Observe(ds.Observe)
	for i := range n {
		r := httptest.NewRequest("GET", fmt.Sprintf("/%d/%s", i, strings.Repeat("x", 1000)), nil)
		r.Header.Set("Origin", "https://evil.example")
		mw.DecideHTTP(r)
	}
}

func TestAPageIsToldTheLastDecisionsAndThoseToCome(t *testing.T) {
	ds := newDecisions()
	decide(t, ds, maxKept+10)
	s := httptest.NewServer(ds)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		t.Fatal(lines.Err())
		return ""
	}
	first := next()
	if want := `"path":"/10/`; !strings.Contains(first, want) || !strings.Contains(first, `"allowed":false,"reason":"origin"`) {
		t.Errorf("the first decision that is told is %s, want %s in it", first, want)
	}
	if len(first) > 2*maxText {
		t.Errorf("a decision is told in %d bytes, whatever the request's length", len(first))
	}
	for range maxKept - 1 {
		next()
	}
	decide(t, ds, 1)
	if got, want := next(), `"path":"/0/`; !strings.Contains(got, want) {
		t.Errorf("a new decision is told as %s, want %s in it", got, want)
	}
}

func TestReadersAreBoundedAndNobodyWaitsForThem(t *testing.T) {
	ds := newDecisions()
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(ds)
	defer s.Close()
	defer cancel()
	decide(t, ds, 1) // so that each reader's head is flushed at once
	get := func() *http.Response {
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res
	}
	for range maxReaders {
		if status := get().StatusCode; status != http.StatusOK {
			t.Fatalf("a reader gets status %d", status)
		}
	}
	if status := get().StatusCode; status != http.StatusServiceUnavailable {
		t.Errorf("one reader too many gets status %d, want 503", status)
	}
	decide(t, ds, 5_000) // none of them reads
}
