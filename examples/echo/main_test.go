package main

import (
	"testing"

	"github.com/crossorigin/cors/corstest"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

const api = "https://api.example.com"

var put = fetch.Request{
	URL:         api + "/users/7",
	Method:      "PUT",
	Header:      []header.Field{{Name: "Authorization", Value: "Bearer t"}},
	Credentials: fetch.CredentialsInclude,
}

func TestAPageOfAnAllowedOriginUsesTheAPI(t *testing.T) {
	handler, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	page := corstest.From(t, "https://app.example.com", handler)
	page.Fetch(&fetch.Request{URL: api + "/users"}).Status(200)
	page.Fetch(&put).Status(200).Preflights(1)
	page.Fetch(&fetch.Request{URL: api + "/nowhere"}).Status(404)
	page.Fetch(&fetch.Request{URL: api + "/panic"}).Status(500)
}

func TestAPageOfAThirdOriginDoesNot(t *testing.T) {
	handler, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	page := corstest.From(t, "https://evil.example", handler)
	page.Fetch(&fetch.Request{URL: api + "/users"}).Refused()
	page.Fetch(&put).Refused()
}
