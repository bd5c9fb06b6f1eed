package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/crossorigin/cors/cmd/internal/report"
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/spf13/pflag"
)

// questionFlags are the flags that say what a page asks for; those that curl has
// are named as there.
type questionFlags struct {
	origin      string
	method      string
	headers     []string
	data        string
	credentials string
	cookies     []string
	mode        string
	redirect    string
}

func (f *questionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.origin, "origin", "", "`origin` or URL of the page that asks; \"null\" for a sandbox")
	flags.StringVarP(&f.method, "request", "X", "", "`method`, where it is not GET, or with -d POST")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`line` that the page sets; repeat it, so --cookie")
	flags.StringVarP(&f.data, "data", "d", "", "`body`, or @file, or @- for standard input")
	flags.StringVar(&f.credentials, "credentials", "", "`mode`: omit, same-origin or include")
	flags.StringArrayVar(&f.cookies, "cookie", nil, "`name=value` that the browser has for the server")
	flags.StringVar(&f.mode, "mode", "", "`mode`: cors, no-cors or same-origin")
	flags.StringVar(&f.redirect, "redirect", "", "`mode`: follow, error or manual")
}

// question is what the flags ask at target. hasData tells an empty body from none.
func (f *questionFlags) question(target string, stdin io.Reader, hasData bool) (explain.Question, error) {
	q := explain.Question{Cookies: f.cookies, Request: &fetch.Request{
		URL: target, Method: f.method, Mode: fetch.Mode(f.mode), Credentials: fetch.Credentials(f.credentials), Redirect: fetch.Redirect(f.redirect),
	}}
	if err := setPage(&q, f.origin); err != nil {
		return q, err
	}
	// A page would take it for a path of its own, as nobody means who types it.
	if u, err := url.Parse(target); err == nil && u.Scheme == "" && !strings.ContainsAny(target[:min(1, len(target))], "/?#.") {
		return q, report.Misused("URL: %q has no scheme", target).WithHint("write https://%s; a path on the page's own server begins with /", target)
	}
	for _, line := range f.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return q, report.Misused("--header: %q has no colon", line).WithHint("write -H 'Name: value'")
		}
		q.Request.Header = append(q.Request.Header, header.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	if !hasData {
		return q, nil
	}
	body, err := f.body(stdin)
	if err != nil {
		return q, err
	}
	q.Request.Body = body
	if q.Request.Method == "" {
		q.Request.Method = "POST"
	}
	for _, field := range q.Request.Header {
		if header.EqualFold(field.Name, "Content-Type") {
			return q, nil
		}
	}
	q.Request.Header = append(q.Request.Header, header.Field{Name: "Content-Type", Value: "application/x-www-form-urlencoded"})
	return q, nil
}

func (f *questionFlags) body(stdin io.Reader) ([]byte, error) {
	name, isFile := strings.CutPrefix(f.data, "@")
	switch {
	case !isFile:
		return []byte(f.data), nil
	case name == "-":
		body, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("--data: reading standard input: %w", err)
		}
		return body, nil
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	return body, nil
}

// setPage makes the page of a question from its origin, or its URL.
func setPage(q *explain.Question, page string) error {
	switch page {
	case "":
		return report.Misused("--origin is missing: it is the page's").WithHint("write --origin https://app.example.com, as in the address bar of the page that fetches")
	case "null":
		q.Page, q.Opaque = "https://sandbox.invalid/", true
		return nil
	}
	u, err := url.Parse(page)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return report.Misused("--origin: %q is no origin", page).WithHint("write it with its scheme, as in http://localhost:3000")
	}
	q.Page = page
	return nil
}
