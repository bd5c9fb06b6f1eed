package explain

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// drawing is a sequence of messages between a page and servers, to be drawn in
// text or in SVG. All text in it is escaped.
type drawing struct {
	page   string
	arrows []arrow
	end    string // what becomes of it
	bad    bool   // the end is not what was hoped for
}

// arrow is one message.
type arrow struct {
	server   string // the origin
	toServer bool
	label    string
	tag      string // what kind of message it is
	bad      bool   // the label is what is wrong
	want     string // what it should be
	fields   []drawn
}

// drawn is one header of a message.
type drawn struct {
	name, value string
	bad         bool
	absent      bool   // it is not there, and should be
	want        string // what the value should be, if that can be said
}

// atEnds is how many exchanges are drawn at the beginning and at the end of many.
const atEnds = 2

// mostFields is how many headers of one message are drawn.
const mostFields = 14

func (d *Diagnosis) draw(l Language) drawing {
	out := drawing{page: escape(d.Page)}
	exchanges := d.Exchanges
	shorter := 0
	if len(exchanges) > 2*atEnds { // a ring of redirects looks the same all around
		shorter = len(exchanges) - 2*atEnds
		exchanges = slices.Concat(exchanges[:atEnds], exchanges[len(exchanges)-atEnds:])
	}
	for i, e := range exchanges {
		decided := d.At >= 0 && e == d.Exchanges[d.At] && (d.Verdict == Blocked || d.Verdict == Unreachable)
		server, path := splitURL(e.URL)
		if shorter > 0 && i == atEnds {
			out.arrows = append(out.arrows, arrow{server: server, toServer: true, label: "… " + strconv.Itoa(shorter) + " …"})
		}
		ask := arrow{server: server, toServer: true, label: escape(brief(e.Method + " " + path))}
		switch {
		case e.Preflight:
			ask.tag = label(l, "preflight")
		case e.FromCache:
			ask.tag = label(l, "cached")
		}
		for _, f := range e.RequestHeader {
			if d.drawsRequest(f.Name) {
				ask.fields = append(ask.fields, drawn{name: escape(f.Name), value: escape(brief(f.Value))})
			}
		}
		ask.fields = most(ask.fields)
		out.arrows = append(out.arrows, ask)
		out.arrows = append(out.arrows, d.drawAnswer(l, e, server, decided))
	}
	out.end, out.bad = d.drawEnd(l)
	return out
}

func (d *Diagnosis) drawAnswer(l Language, e *fetch.Exchange, server string, decided bool) arrow {
	a := arrow{server: server, label: label(l, "no answer"), bad: decided && e.Status == 0}
	if e.Status == 0 {
		if decided && d.Said != "" {
			a.fields = append(a.fields, drawn{name: "", value: escape(brief(d.Said)), bad: true})
		}
		return a
	}
	a.label = strings.TrimSpace(strconv.Itoa(e.Status) + " " + http.StatusText(e.Status))
	if isRedirect(e.Status) {
		a.tag = label(l, "redirect")
	}
	found := false
	for _, f := range e.ResponseHeader {
		bad := decided && d.Header.Name != "" && header.EqualFold(f.Name, d.Header.Name)
		if !bad && !d.drawsResponse(f.Name) {
			continue
		}
		field := drawn{name: escape(f.Name), value: escape(brief(f.Value)), bad: bad}
		if bad && !found {
			field.want = escape(brief(d.Header.Want))
		}
		found = found || bad
		a.fields = append(a.fields, field)
	}
	a.fields = most(a.fields)
	switch {
	case !decided:
	case d.Header.Name == ":status":
		a.bad, a.want = true, d.Header.Want
	case d.Header.Name != "" && !found:
		a.fields = append(a.fields, drawn{name: d.Header.Name, absent: true, bad: true, want: escape(d.Header.Want)})
	}
	return a
}

// most keeps those that are wrong, and of the others as many as there is room.
func most(fields []drawn) []drawn {
	if len(fields) <= mostFields {
		return fields
	}
	kept := fields[:0:0]
	dropped := 0
	for i, f := range fields {
		if i < mostFields || f.bad && len(kept) < 2*mostFields {
			kept = append(kept, f)
		} else {
			dropped++
		}
	}
	return append(kept, drawn{value: "… " + strconv.Itoa(dropped)})
}

func (d *Diagnosis) drawsRequest(name string) bool {
	switch lower := header.Lower(name); lower {
	case "origin", "cookie", "authorization", "access-control-request-method", "access-control-request-headers", "access-control-request-private-network":
		return true
	default:
		return slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Header == lower })
	}
}

func (d *Diagnosis) drawsResponse(name string) bool {
	switch name = header.Lower(name); name {
	case "vary", "location", "cross-origin-resource-policy", "www-authenticate", "set-cookie":
		return true
	case "age", "x-cache", "cf-cache-status", "cache-status":
		return d.Cause == "shared-cache"
	case "server", "via":
		return d.Cause.Class() == ClassServer
	case "content-type":
		return d.Cause == "works-unexpected-body" || d.Cause.Class() == ClassServer
	}
	return strings.HasPrefix(name, "access-control-")
}

func (d *Diagnosis) drawEnd(l Language) (end string, bad bool) {
	switch {
	case d.Verdict == Works:
		return label(l, "read"), d.Cause == "works-with-error"
	case d.Verdict == Hidden:
		return label(l, "hidden"), true
	case d.At < 0 || d.Preflight:
		_, path := splitURL(d.BlockedAt)
		return labels["never sent"].in(l, facts{"method": escape(d.facts["method"] + " " + path)}), true
	case d.Verdict == Unreachable:
		return "", true
	}
	return label(l, "not read"), true
}

// splitURL is the origin, and what stands in the first line of a request.
func splitURL(rawURL string) (origin, path string) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return escape(rawURL), ""
	}
	return escape(u.Scheme + "://" + u.Host), escape(u.RequestURI())
}

func label(l Language, name string) string { return labels[name][l] }
