package corstest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// t stands for the *testing.T of a test.
var t testing.TB = printer{}

type printer struct{ testing.TB }

func (printer) Helper()                           {}
func (printer) Context() context.Context          { return context.Background() }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func ExampleFrom() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com/")
	})
	page := corstest.From(t, "https://app.example.com", handler)
	page.Get("https://api.example.com/users").Allowed()
	// Output:
	// corstest: the page at https://app.example.com, fetching GET https://api.example.com/users, may not read the response
	//
	//   asked     GET https://api.example.com/users
	//             Origin: https://app.example.com
	//   answered  200
	//             Access-Control-Allow-Origin: https://app.example.com/
	//
	//   blocked   Access-Control-Allow-Origin names another origin
	//   standard  https://fetch.spec.whatwg.org/#concept-cors-check step 4
	//   mend      send Access-Control-Allow-Origin: https://app.example.com, without the slash at the end: an origin has no path
}

// Who may do what: a table of the origins and requests that a policy is about.
func ExamplePage_Fetch() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin == "https://app.example.com" {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Methods", "PUT")
			w.Header().Set("Access-Control-Allow-Headers", "Authorization")
		}
	})
	put := &fetch.Request{
		URL: "https://api.example.com/users/1", Method: "PUT", Header: []header.Field{{Name: "Authorization", Value: "Bearer 1"}},
	}
	page := corstest.From(t, "https://app.example.com", handler)
	page.Fetch(put).Allowed().Preflights(1)
	page.Fetch(put).Allowed().Preflights(0) // the browser remembers
	page.Fetch(&fetch.Request{URL: put.URL, Method: "DELETE"}).RefusedFor(fetch.CodeMethodNotAllowed)
	page.Open("https://evil.example").Fetch(put).Refused()
	page.Open("null").Get(put.URL).Refused() // a sandboxed frame
	// Output:
}

func ExampleHosts() {
	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, "goods")
	})
	login := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	})
	page := corstest.From(t, "https://app.example.com", corstest.Hosts{"shop.example": shop, "login.example": login})
	fmt.Println(page.Get("https://shop.example/").Allowed().Body)

	// Another site's page in the same browser.
	evil := page.Open("https://evil.example")
	evil.Fetch(&fetch.Request{URL: "https://login.example/", Credentials: fetch.CredentialsInclude}).Refused()
	// Output: goods
}
