package table

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// Seen reports whether a page, or a cache on the way to it, can tell the reply of
// o from the one that is wanted, with credentials or without. What no browser
// would send, no page sees; and so are headers that mean nothing without
// Access-Control-Allow-Origin.
func (o Outcome) Seen() bool {
	q := o.Row.Request
	for _, mode := range []fetch.Credentials{fetch.CredentialsOmit, fetch.CredentialsInclude} {
		if read(q, o.Got, mode) != read(q, o.Row.Want, mode) {
			return true
		}
	}
	// No cache keeps the answer to OPTIONS.
	return q.Method != http.MethodOptions && !slices.Equal(vary(o.Got), vary(o.Row.Want))
}

// A Harm is what a wrong row does.
type Harm int

const (
	Nothing Harm = iota // no page and no cache can tell the difference, if there is one
	Opens               // a page reads what it must not, or sends it
	Blocks              // a page is kept from what it may do
	Mixes               // a cache may give to one origin what is for another
	Changes             // a page is told something else
)

// Harm is what the reply of o does that is other than it must be.
func (o Outcome) Harm() Harm {
	q, h := o.Row.Request, Nothing
	for _, mode := range []fetch.Credentials{fetch.CredentialsOmit, fetch.CredentialsInclude} {
		want, got := read(q, o.Row.Want, mode), read(q, o.Got, mode)
		switch {
		case want == got:
		case want == stops:
			return Opens
		case got == stops:
			h = Blocks
		case h == Nothing:
			h = Changes
		}
	}
	if h == Nothing && q.Method != http.MethodOptions && !slices.Equal(vary(o.Got), vary(o.Row.Want)) {
		if !header.VariesByOrigin(o.Got.Header[header.Vary]) && header.VariesByOrigin(o.Row.Want.Header[header.Vary]) {
			return Mixes
		}
		return Changes
	}
	return h
}

// Harms counts the rows of r that a browser would send, by what they do.
func (r *Report) Harms() map[Harm]int {
	all := make(map[Harm]int)
	for _, o := range r.Outcomes {
		if o.isBrowsers() {
			all[o.Harm()]++
		}
	}
	return all
}

// isBrowsers reports whether a browser would send the request of o.
func (o Outcome) isBrowsers() bool {
	q := o.Row.Request
	if len(q.Header) == 0 {
		return true
	}
	if len(q.lines(header.AccessControlRequestHeaders)) > 1 {
		return false // it writes one
	}
	return read(q, o.Row.Want, fetch.CredentialsOmit) != "" || read(q, o.Row.Want, fetch.CredentialsInclude) != ""
}

// vary is what a reply varies by: "*" is all there is.
func vary(r Reply) []string {
	names := elements(r.Header[header.Vary], header.Lower)
	if slices.Contains(names, "*") {
		return []string{"*"}
	}
	return names
}

// stops is what [read] says where a page gets nothing.
const stops = "stops"

// read is what a browser that sent q makes of a reply, in words.
func read(q Request, reply Reply, mode fetch.Credentials) string {
	origins, methods := q.lines(header.Origin), q.lines(header.AccessControlRequestMethod)
	if len(origins) != 1 || len(methods) > 1 {
		return ""
	}
	c := &canned{asked: q, reply: reply, preflight: q.Method == http.MethodOptions && len(methods) > 0}
	in := &fetch.Request{URL: "https://" + q.Host + "/", Method: q.Method, Credentials: mode}
	if c.preflight {
		in.Method = methods[0]
		for _, name := range elements(q.lines(header.AccessControlRequestHeaders), header.Lower) {
			in.Header = append(in.Header, header.Field{Name: name, Value: strings.Repeat("v", 129)}) // too long to be safelisted
		}
		// Who asks for no other reason needs no Access-Control-Allow-Methods.
		in.UploadListeners = len(in.Header) == 0 && header.IsSafelistedMethod(in.Method)
	}
	browser := &fetch.Browser{Transport: c}
	res, err := browser.Open(origins[0]).Fetch(context.Background(), in)
	switch {
	case !c.sent:
		return "" // no page of that origin asks just that
	case c.goesOn:
		return fmt.Sprintf("goes on, and need not ask for %s", reply.Header[header.AccessControlMaxAge])
	case err != nil:
		return stops
	}
	res.Body.Close()
	return fmt.Sprintf("reads %d, with %q", reply.Status/100, elements(reply.Header[header.AccessControlExposeHeaders], header.Lower))
}

// canned answers the request that a row asks about with one reply, and any other
// so that all may read it.
type canned struct {
	asked     Request
	preflight bool // that is one
	reply     Reply
	sent      bool // was it asked?
	goesOn    bool // was there another after it?
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	c.goesOn = c.sent
	if (r.Method == http.MethodOptions && len(r.Header[header.AccessControlRequestMethod]) > 0) == c.preflight && r.Method == c.asked.Method {
		same := func(name string, normal func(string) string) bool {
			return slices.Equal(elements(r.Header[name], normal), elements(c.asked.lines(name), normal))
		}
		exactly := func(s string) string { return s }
		c.sent = same(header.Origin, exactly) && same(header.AccessControlRequestMethod, exactly) && same(header.AccessControlRequestHeaders, header.Lower)
		return &http.Response{StatusCode: c.reply.Status, Header: c.reply.Header, Body: http.NoBody, Request: r}, nil
	}
	h := http.Header{
		header.AccessControlAllowOrigin:      r.Header[header.Origin],
		header.AccessControlAllowCredentials: {"true"},
		header.AccessControlAllowMethods:     r.Header[header.AccessControlRequestMethod],
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h, Body: http.NoBody, Request: r}, nil
}
