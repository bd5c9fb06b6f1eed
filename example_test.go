package cors_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// ask prints the CORS headers with which handler answers a request of a page.
func ask(handler http.Handler, method, origin string, fields ...string) {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request(method, origin, fields...))
	fmt.Printf("%s from %s: %d, allows %q\n", method, origin, w.Code, w.Header().Get(header.AccessControlAllowOrigin))
}

func Example() {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /x", func(w http.ResponseWriter, r *http.Request) {})

	mw, err := cors.New(cors.Policy{
		Origins:        []string{"https://app.example.com", "https://*.example.com"},
		Methods:        []string{"PUT", "DELETE"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Request-Id"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	})
	if err != nil {
		fmt.Println(err) // every mistake in the policy at once, each with its mend
		return
	}
	handler := mw.Wrap(mux) // around the router, which knows no OPTIONS

	ask(handler, "OPTIONS", "https://app.example.com", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization")
	ask(handler, "PUT", "https://app.example.com")
	ask(handler, "PUT", "https://evil.example") // reaches the handler; the page cannot read the answer
	// Output:
	// OPTIONS from https://app.example.com: 204, allows "https://app.example.com"
	// PUT from https://app.example.com: 200, allows "https://app.example.com"
	// PUT from https://evil.example: 200, allows ""
}

// Tenants that live in a database, or a set that changes while it is read, are
// asked for one by one.
func ExampleOriginSource() {
	var tenants origin.Set // a database, in a program
	mw, err := cors.New(cors.Policy{
		OriginSource: func(ctx context.Context, o origin.Origin) (bool, error) {
			return tenants.Contains(o), nil
		},
		Credentials: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := mw.Wrap(http.NotFoundHandler())
	ask(handler, "GET", "https://tenant-7.example")
	if err := tenants.Add("https://tenant-7.example"); err != nil {
		fmt.Println(err)
	}
	ask(handler, "GET", "https://tenant-7.example")
	// Output:
	// GET from https://tenant-7.example: 404, allows ""
	// GET from https://tenant-7.example: 404, allows "https://tenant-7.example"
}

// A policy can be replaced while requests are served. A bad one changes nothing.
func ExampleMiddleware_SetPolicy() {
	mw, err := cors.New(cors.Policy{Origins: []string{"https://old.example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := mw.Wrap(http.NotFoundHandler())
	fmt.Println(mw.SetPolicy(cors.Policy{Origins: []string{"https://new.example/"}}))
	ask(handler, "GET", "https://old.example")
	fmt.Println(mw.SetPolicy(cors.Policy{Origins: []string{"https://new.example"}}))
	ask(handler, "GET", "https://old.example")
	ask(handler, "GET", "https://new.example")
	// Output:
	// policy: Origins[0]: "https://new.example/": an origin has no path; write "https://new.example"
	// GET from https://old.example: 404, allows "https://old.example"
	// <nil>
	// GET from https://old.example: 404, allows ""
	// GET from https://new.example: 404, allows "https://new.example"
}

// Any server that can show these few headers can ask, and write what is yielded.
func ExampleMiddleware_Decide() {
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}, Methods: []string{"PUT"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := mw.Decide(context.Background(), cors.Request{
		Method:                     "OPTIONS",
		Origin:                     []string{"https://app.example.com"},
		AccessControlRequestMethod: []string{"PUT"},
	})
	fmt.Println(d.Kind, d.Allowed, d.Status())
	for name, value := range d.Fields() {
		fmt.Println(name+":", value)
	}
	d = mw.Decide(context.Background(), cors.Request{
		Method:                     "OPTIONS",
		Origin:                     []string{"https://app.example.com"},
		AccessControlRequestMethod: []string{"DELETE"},
	})
	fmt.Println(d.Kind, d.Allowed, d.Status(), d.Reason, d.Name)
	// Output:
	// preflight true 204
	// Vary: Origin
	// Access-Control-Allow-Origin: https://app.example.com
	// Access-Control-Allow-Methods: PUT
	// preflight false 403 method DELETE
}

func ExampleMiddleware_Observe() {
	mw, err := cors.New(cors.Policy{Origins: []string{"https://app.example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mw.Observe(func(r *http.Request, d cors.Decision) {
		fmt.Println("counted:", d.Kind, d.Allowed, d.Reason) // labels that nobody can make more of
	})
	ask(mw.Wrap(http.NotFoundHandler()), "GET", "https://evil.example")
	// Output:
	// counted: actual false origin
	// GET from https://evil.example: 404, allows ""
}
