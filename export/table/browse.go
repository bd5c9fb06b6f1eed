package table

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// A Visit is a fetch by a page, through a subject to an upstream.
type Visit struct {
	Policy, Page string // a URL; "null" for a page with an opaque origin
	Path         string
	Request      fetch.Request // without its URL
	Said         string        // by the upstream, a key of speaking
	About        []string
	route        string
}

func (v Visit) String() string {
	s := fmt.Sprintf("%s: %s fetches %s %s", v.Policy, v.Page, v.Request.Method, v.Path)
	for _, f := range v.Request.Header {
		s += fmt.Sprintf(" [%s: %s]", f.Name, f.Value)
	}
	return s + fmt.Sprintf(" credentials %s; the upstream says %s", v.Request.Credentials, v.Said)
}

// A Disagreement is a visit that ends otherwise through a subject than it does by
// the decision core.
type Disagreement struct {
	Visit     Visit
	Got, Want string          // what the page learns
	Finding   *export.Finding // that announced it
}

func (d Disagreement) String() string {
	return fmt.Sprintf("%s: %s, want %s", d.Visit, d.Got, d.Want)
}

// Browse has the browser's half fetch through subject and by the decision core.
// It returns how many fetches there were, how many of them a page may read, and
// those in which the two disagree.
func Browse(dir string, subject Subject) (visits, read int, all []Disagreement, err error) {
	every := make([][]Visit, len(Policies))
	for i, p := range Policies {
		file, err := p.Parse("http://127.0.0.1:2")
		if err != nil {
			return 0, 0, nil, err
		}
		every[i] = visitsTo(p.Name, file)
		visits += len(every[i])
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := r.URL.Query().Get("say")
		answer(w, speaking("https://app.example.com")[said])
	}))
	defer upstream.Close()
	for i, p := range Policies {
		own := filepath.Join(dir, "browse-"+strconv.Itoa(i))
		if err := os.Mkdir(own, 0o777); err != nil {
			return 0, 0, nil, err
		}
		file, err := p.Parse(upstream.URL)
		if err != nil {
			return 0, 0, nil, err
		}
		some, reads, err := disagreements(own, subject, file, every[i])
		if err != nil {
			return 0, 0, nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		all = append(all, some...)
		read += reads
	}
	return visits, read, all, nil
}

func disagreements(dir string, subject Subject, file *policyfile.File, visits []Visit) (all []Disagreement, read int, err error) {
	reference, err := Reference("", file)
	if err != nil {
		return nil, 0, err
	}
	defer reference.Close()
	server, err := subject(dir, file)
	if err != nil {
		return nil, 0, err
	}
	defer server.Close()
	toReference, toServer := leadTo(reference.URL), leadTo(server.URL)
	defer toReference.CloseIdleConnections()
	defer toServer.CloseIdleConnections()
	for _, v := range visits {
		want, got := v.through(toReference), v.through(toServer)
		if !strings.HasPrefix(want, "blocked") {
			read++
		}
		if got != want {
			row := Row{About: v.About, Route: v.route}
			all = append(all, Disagreement{v, got, want, announced(server.Findings, row, strings.HasPrefix(want, "blocked"))})
		}
	}
	return all, read, nil
}

// through makes the fetch through a server, and returns what the page learns.
func (v Visit) through(server *leading) string {
	b := &fetch.Browser{Transport: server}
	page := b.Open(v.Page)
	if v.Page == "null" {
		page = b.Open("https://sandboxed.example/")
		page.Opaque = true
	}
	request := v.Request
	request.URL = "https://service.example" + v.Path + "?say=" + url.QueryEscape(v.Said)
	res, err := page.Fetch(context.Background(), &request)
	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		return fmt.Sprintf("blocked: %v", blocked.Code)
	}
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	var seen []string
	for _, f := range res.Header {
		if name := header.Lower(f.Name); strings.HasPrefix(name, "x-") {
			seen = append(seen, name)
		}
	}
	slices.Sort(seen)
	status := strconv.Itoa(res.Status)
	if res.Status >= 500 {
		status = "5xx" // which one, a server says in its own way
	}
	return fmt.Sprintf("%s %s, sees %q", res.Type, status, seen)
}

// leading leads every request to a server, whatever its URL.
type leading struct {
	http.Transport
	address string
}

func leadTo(server string) *leading {
	return &leading{Transport: http.Transport{DisableCompression: true}, address: strings.TrimPrefix(server, "http://")}
}

func (l *leading) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.URL.Scheme, r.URL.Host = "http", l.address
	return l.Transport.RoundTrip(r)
}

// visitsTo are those by pages that a policy allows and that it does not, with
// requests of all kinds.
func visitsTo(policy string, file *policyfile.File) (all []Visit) {
	json := fields("Content-Type", "application/json", "X-Name", "1")
	including := fetch.Request{Method: "GET", Credentials: fetch.CredentialsInclude}
	requests := []fetch.Request{
		{Method: "GET"},
		including,
		{Method: "POST", Body: []byte("x"), Header: fields("Content-Type", "text/plain"), Credentials: fetch.CredentialsInclude},
		{Method: "PUT", Body: []byte("{}"), Header: json[:1], Credentials: fetch.CredentialsInclude},
		{Method: "PUT"},
		{Method: "PATCH", Header: fields("Authorization", "Bearer x")},
		{Method: "DELETE", Header: fields("Authorization", "Bearer x"), Credentials: fetch.CredentialsInclude},
		{Method: "GET", Header: json},
	}
	if len(file.Routes) > 1 {
		requests = []fetch.Request{requests[1], requests[3], requests[7]}
	}
	said := []string{"nothing of CORS", "* itself", "all there is", "that it has failed", "that there is nothing", "nothing, and breaks off", "that it varies"}
	for i, r := range file.Routes {
		path, ok := strings.CutPrefix(strings.NewReplacer("{id}", "7", "{path...}", "a/b", "{$}", "").Replace(r.Pattern), "/")
		if !ok {
			continue // of a host
		}
		path = "/" + path
		route := routeOf(file, Row{Request: get("https://evil.example").at(path).of("service.example")})
		for _, page := range pagesOf(r, file.Routes[(i+1)%len(file.Routes)]) {
			for _, request := range requests {
				all = append(all, Visit{policy, page, path, request, said[0], []string{"origins", "methods", "request-headers", "upstream-headers"}, route})
			}
			for _, s := range said[1:] {
				all = append(all, Visit{policy, page, path, including, s, []string{"upstream-headers"}, route})
			}
		}
	}
	return all
}

// pagesOf are pages of origins that a route allows, of one that another does, and
// of strangers.
func pagesOf(r, other policyfile.Route) []string {
	pages := []string{"https://evil.example", "null"}
	add := func(pattern string, most int) {
		for i, m := range members(pattern) {
			if i < most && m != "*" && !slices.Contains(pages, m) {
				pages = append(pages, m)
			}
		}
	}
	for _, pattern := range r.Policy.Origins {
		add(pattern, 2)
	}
	for _, pattern := range other.Policy.Origins {
		add(pattern, 1)
	}
	return pages
}
