package fetch_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/crossorigin/cors/fetch"
)

// Ten thousand fetches at once, of a hundred URLs, from pages of ten origins that
// share a browser: a preflight for each pair and no more, however they meet. The
// bubble sees to it that none of their goroutines is left.
//
// https://fetch.spec.whatwg.org/#concept-http-fetch
func TestConcurrentFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var preflights atomic.Int64
		open := make(chan struct{}) // no preflight is answered before all fetches have begun
		b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(acao, r.Header.Get("Origin"))
			w.Header().Set(acac, "true")
			w.Header().Set(acam, "PUT")
			http.SetCookie(w, &http.Cookie{Name: "n", Value: r.URL.RawQuery, Secure: true, SameSite: http.SameSiteNoneMode})
			if r.Method == "OPTIONS" {
				preflights.Add(1)
				<-open
			}
			fmt.Fprint(w, r.Header.Get("Origin"), r.URL.Path)
		})}}
		var pages [10]*fetch.Page
		for i := range pages {
			pages[i] = b.Open(fmt.Sprintf("https://page%d.example/", i))
		}
		var all sync.WaitGroup
		for i := range concurrentFetches {
			all.Go(func() {
				page, path := i%10, i/10%100
				res, err := pages[page].Fetch(t.Context(), &fetch.Request{
					URL: fmt.Sprintf("https://api.example.com/%d?%d", path, path), Method: "PUT", Credentials: fetch.CredentialsInclude,
				})
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				want := fmt.Sprintf("https://page%d.example/%d", page, path)
				if body, err := io.ReadAll(res.Body); string(body) != want || err != nil {
					t.Errorf("body %q, %v, want %q", body, err, want)
				}
			})
		}
		synctest.Wait()
		close(open)
		all.Wait()
		if got := preflights.Load(); got != 1000 {
			t.Errorf("%d preflights, want 1000", got)
		}
	})
}

// A fetch that waits for another's preflight ends with its own context; so does
// the other, whose end is no verdict for those that wait.
func TestSharedPreflights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var preflights atomic.Int64
		open := make(chan struct{})
		b := &fetch.Browser{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method == "OPTIONS" && preflights.Add(1) == 1 {
				select {
				case <-open:
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return serve{says(200, acao, "*", acam, "PUT")}.RoundTrip(r)
		})}
		page := b.Open(app)
		put := func(ctx context.Context) error {
			res, err := page.Fetch(ctx, &fetch.Request{URL: api, Method: "PUT"})
			if err == nil {
				res.Body.Close()
			}
			return err
		}
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		var errs [3]error
		var all sync.WaitGroup
		for i, ctx := range []context.Context{first, second, t.Context()} {
			all.Go(func() { errs[i] = put(ctx) })
			synctest.Wait() // it is sent, or waits
		}
		cancelSecond()
		synctest.Wait()
		if got := preflights.Load(); got != 1 {
			t.Errorf("%d preflights for three fetches, want 1", got)
		}
		cancelFirst()
		all.Wait()
		if errs[0] == nil || errs[1] == nil || errs[2] != nil {
			t.Errorf("the fetches end with %v, want two aborted and the third well", errs)
		}
		if got := preflights.Load(); got != 2 {
			t.Errorf("%d preflights, want 2: the third fetch makes its own", got)
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
