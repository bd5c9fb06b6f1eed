package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// What explain writes for cors.yaml is a policy file.
func TestMendIsAPolicyFile(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(answerBrokenly))
	defer broken.Close()
	for _, page := range []string{"http://localhost:3000", "https://app.example.com", "http://app.example.com"} {
		for _, path := range []string{"/silent", "/star", "/get-only"} {
			req := &fetch.Request{URL: broken.URL + path, Method: "PUT", Credentials: fetch.CredentialsInclude, Header: []header.Field{{Name: "X-Token", Value: "1"}, {Name: "Authorization", Value: "x"}}}
			q := explain.Question{Page: page, Request: req}
			if page == "https://app.example.com" {
				req.Credentials = fetch.CredentialsOmit
			}
			d, err := explain.Ask(t.Context(), newBrowser(fetch.Standard), q)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := policyfile.Parse([]byte(d.Config(explain.CORSYAML))); err != nil {
				t.Errorf("%s at %s: %v\n%s", path, page, err, d.Config(explain.CORSYAML))
			}
		}
	}
}

// answerBrokenly is a server that is broken in one way at each path, for the
// scripts that ask what is wrong.
func answerBrokenly(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	origin := r.Header.Get("Origin")
	allow := func() {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
	}
	switch r.URL.Path {
	case "/fine":
		allow()
		h.Set("Content-Type", "application/json")
		h.Set("Access-Control-Allow-Methods", "PUT")
		h.Set("Access-Control-Allow-Headers", "content-type, authorization")
		h.Set("Access-Control-Allow-Credentials", "true")
	case "/silent":
	case "/slash":
		h.Set("Access-Control-Allow-Origin", origin+"/")
	case "/get-only":
		allow()
		h.Set("Access-Control-Allow-Methods", "GET")
	case "/star":
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Headers", "*")
	case "/no-options":
		allow()
		if r.Method == http.MethodOptions {
			h.Set("Server", "nginx/1.27.0")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
	case "/hostile":
		h["Access-Control-Allow-Origin"] = []string{"\x1b[2J\x1b]0;owned\x07"}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "set-cookie-secret"})
	case "/login":
		http.Redirect(w, r, "https://accounts.example.net/login", http.StatusFound)
		return
	}
	fmt.Fprint(w, "{}")
}
