package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// An API that lets one origin read it, and change nothing.
var apiServer = serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "https://app.example.com")
	w.Header().Set("Access-Control-Allow-Methods", "GET")
	if r.Method != http.MethodOptions {
		w.Header().Set("X-Request-Id", "7")
		fmt.Fprint(w, `{"users":[]}`)
	}
})}

func ExamplePage_Fetch() {
	b := &fetch.Browser{Transport: apiServer} // without a Transport, over TCP and TLS
	page := b.Open("https://app.example.com/")

	res, err := page.Fetch(context.Background(), &fetch.Request{URL: "https://api.example.com/users"})
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		log.Fatal(err)
	}
	_, seen := res.Get("X-Request-Id")
	fmt.Println(res.Type, res.Status, string(body))
	fmt.Println("X-Request-Id is seen:", seen) // it is not in Access-Control-Expose-Headers
	// Output:
	// cors 200 {"users":[]}
	// X-Request-Id is seen: false
}

func ExampleBlockedError() {
	b := &fetch.Browser{Transport: apiServer}
	page := b.Open("https://app.example.com/")

	_, err := page.Fetch(context.Background(), &fetch.Request{URL: "https://api.example.com/users", Method: "PUT"})
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		fmt.Println(blocked.Code)
		fmt.Println(blocked.Step)
		fmt.Printf("%s: %s\n", blocked.Header, blocked.Value)
		fmt.Println("in the preflight:", blocked.Preflight)
	}
	// Output:
	// method is not in Access-Control-Allow-Methods
	// https://fetch.spec.whatwg.org/#cors-preflight-fetch-0 step 7.5
	// Access-Control-Allow-Methods: GET
	// in the preflight: true
}

// A trace tells each step as it is taken.
func ExampleRequest_trace() {
	b := &fetch.Browser{Transport: serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "X-Token")
		w.Header().Set("ETag", `"1"`)
	})}}
	page := b.Open("https://app.example.com/")
	res, err := page.Fetch(context.Background(), &fetch.Request{
		URL:    "https://api.example.com/users",
		Header: []header.Field{{Name: "X-Token", Value: "1"}, {Name: "Cookie", Value: "a=1"}},
		Trace: func(e fetch.Event) {
			switch e.Kind {
			case fetch.EventRequestSent:
				fmt.Println(e.Kind, e.Exchange.Method)
			case fetch.EventResponse:
				fmt.Println(e.Kind, e.Exchange.Status)
			case fetch.EventPreflightNeeded:
				fmt.Println(e.Kind, "for", e.Names)
			default:
				fmt.Println(e.Kind, e.Name, e.Value)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	res.Body.Close()
	// Output:
	// header dropped Cookie a=1
	// tainted  cors
	// preflight needed for [x-token]
	// request sent OPTIONS
	// response 200
	// CORS check passed Access-Control-Allow-Origin *
	// request sent GET
	// response 200
	// CORS check passed Access-Control-Allow-Origin *
	// header hidden Access-Control-Allow-Headers X-Token
	// header hidden Access-Control-Allow-Origin *
	// header hidden Etag "1"
}

// Where browsers are known to leave the standard, a profile does so too.
func ExampleProfile() {
	star := serve{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*") // which does not cover Authorization, says the standard
	})}
	for _, profile := range []fetch.Profile{fetch.Standard, fetch.Chromium, fetch.Firefox, fetch.WebKit} {
		b := &fetch.Browser{Profile: profile, Transport: star}
		_, err := b.Open("https://app.example.com/").Fetch(context.Background(), &fetch.Request{
			URL: "https://api.example.com/", Header: []header.Field{{Name: "Authorization", Value: "Bearer 1"}},
		})
		fmt.Println(profile, "blocks it:", err != nil)
	}
	// Output:
	// standard blocks it: true
	// chromium blocks it: false
	// firefox blocks it: false
	// webkit blocks it: false
}

// A font is always fetched in mode "cors", whatever its style sheet says.
func ExampleDestination() {
	b := &fetch.Browser{Transport: serve{http.NotFoundHandler()}}
	_, err := b.Open("https://app.example.com/").Fetch(context.Background(), &fetch.Request{
		URL: "https://cdn.example.net/font.woff2", Destination: fetch.DestinationFont,
	})
	fmt.Println(err)
	// Output: fetch "https://cdn.example.net/font.woff2": no Access-Control-Allow-Origin
}
