// Command chi lets pages of two origins use a small API on chi.
//
//	go run ./examples/chi
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/crossorigin/cors"
)

func main() {
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://localhost:8080")
	log.Fatal(http.ListenAndServe("localhost:8080", handler))
}

func newHandler() (http.Handler, error) {
	// By route: pages of every origin read what is public, those of one origin the
	// rest, and none what is internal.
	routes, err := cors.NewRoutes(map[string]cors.Policy{
		"/": {
			Origins:        []string{"https://app.example.com"},
			Methods:        []string{"PUT"},
			RequestHeaders: []string{"Authorization", "Content-Type"},
			Credentials:    true,
			MaxAge:         10 * time.Minute,
		},
		"/public/":   {Origins: []string{"*"}},
		"/internal/": {},
	})
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	// With Use of the outermost router, before it looks for a route: With and
	// Group come too late for a preflight, whose method has none.
	r.Use(routes.Wrap, middleware.Recoverer)
	answer := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(r.URL.Path)
	}
	r.Get("/users", answer)
	r.Put("/users/{id}", answer)
	r.Get("/public/news", answer)
	r.Get("/internal/metrics", answer)
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("as it happens") })
	return r, nil
}
