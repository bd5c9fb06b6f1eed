package main

import (
	"testing"

	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

var put = fetch.Request{
	URL:         "https://api.example.com/users/7",
	Method:      "PUT",
	Header:      []header.Field{{Name: "Authorization", Value: "Bearer t"}, {Name: "Content-Type", Value: "application/json"}},
	Body:        []byte(`{}`),
	Credentials: fetch.CredentialsInclude,
}

func TestAPageOfAnAllowedOriginUsesTheAPI(t *testing.T) {
	handler, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	page := corstest.From(t, "https://app.example.com", handler)
	page.Fetch(&fetch.Request{URL: "https://api.example.com/users"}).Status(200).Sees("X-Request-Id", "7")
	page.Fetch(&put).Status(200).Preflights(1)
	// Errors are for the page to read, too.
	page.Fetch(&fetch.Request{URL: "https://api.example.com/nowhere"}).Status(404)
	page.Fetch(&fetch.Request{URL: "https://api.example.com/users/7", Method: "PUT"}).Status(401)
	page.Fetch(&fetch.Request{URL: "https://api.example.com/users", Method: "DELETE"}).Refused()

	corstest.From(t, "https://42.preview.example.com", handler).Fetch(&put).Status(200)
}

func TestAPageOfAThirdOriginDoesNot(t *testing.T) {
	handler, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	page := corstest.From(t, "https://evil.example", handler)
	page.Fetch(&fetch.Request{URL: "https://api.example.com/users"}).Refused()
	page.Fetch(&put).Refused()
}
