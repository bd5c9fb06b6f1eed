package main

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// start serves the app on a real port, and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	app, err := newApp()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
	t.Cleanup(func() { app.Shutdown() })
	return "http://" + l.Addr().String()
}

func TestAPageOfAnAllowedOriginUsesTheAPIAndAThirdDoesNot(t *testing.T) {
	api := start(t)
	token := []header.Field{{Name: "Authorization", Value: "Bearer t"}}
	for _, tt := range []struct {
		name, page string
		request    fetch.Request
		want       string // the body, or "" where the page reads nothing
	}{
		{"an allowed origin reads", "http://localhost:5173/", fetch.Request{URL: api + "/users"}, `"/users"`},
		{"an allowed origin changes", "http://localhost:5173/", fetch.Request{URL: api + "/users/7", Method: "PUT", Header: token}, `"/users/7"`},
		{"an allowed origin reads errors", "http://localhost:5173/", fetch.Request{URL: api + "/nowhere"}, "Not Found"},
		{"a method that the policy has not", "http://localhost:5173/", fetch.Request{URL: api + "/users/7", Method: "DELETE"}, ""},
		{"a third origin does not read", "http://localhost:5174/", fetch.Request{URL: api + "/users"}, ""},
		{"a third origin does not change", "http://localhost:5174/", fetch.Request{URL: api + "/users/7", Method: "PUT", Header: token}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := new(fetch.Browser).Open(tt.page)
			got, err := read(t, page, &tt.request)
			var blocked *fetch.BlockedError
			if tt.want == "" && !(errors.As(err, &blocked) && blocked.Code.IsCORS()) || tt.want != "" && got != tt.want {
				t.Errorf("%s fetching %s %s: %q, %v, want %q", tt.page, tt.request.Method, tt.request.URL, got, err, tt.want)
			}
		})
	}
}

func read(t *testing.T, page *fetch.Page, r *fetch.Request) (string, error) {
	res, err := page.Fetch(t.Context(), r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}
