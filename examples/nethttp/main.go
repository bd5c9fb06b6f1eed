// Command nethttp lets pages of two origins use a small API on net/http.
//
//	go run ./examples/nethttp
//	curl -i localhost:8080/users -H 'Origin: https://app.example.com'
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/crossorigin/cors"
)

func main() {
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err) // every mistake in the policy, each with its mend
	}
	log.Print("listening on http://localhost:8080")
	log.Fatal(http.ListenAndServe("localhost:8080", handler))
}

func newHandler() (http.Handler, error) {
	mw, err := cors.New(cors.Policy{
		Origins:        []string{"https://app.example.com", "https://*.preview.example.com"},
		Methods:        []string{"PUT"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Request-Id"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "7")
		answer(w, []string{"Ada", "Grace"})
	})
	mux.HandleFunc("PUT /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Error(w, "a token is missing", http.StatusUnauthorized)
			return
		}
		answer(w, "changed "+r.PathValue("id"))
	})
	// Around the mux: it has no route for OPTIONS, and need not have one.
	return mw.Wrap(mux), nil
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
