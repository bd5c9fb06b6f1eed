// Package har reads a session that a browser recorded in its network panel, an
// HTTP Archive, as the fetches that its pages made, and plays the answers again.
//
//	session, err := har.Read(file)
//	for _, f := range session.Fetches { … f.Request, f.Page … (&fetch.Browser{Transport: f}) }
//
// http://www.softwareishard.com/blog/har-12-spec/
package har

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Session is what a browser recorded.
type Session struct {
	Requests int      // all that are in the recording
	Fetches  []*Fetch // those of scripts, in order, without preflights and redirects
}

// A Fetch is one of a page's, and the transport that answers it as it was
// answered then.
type Fetch struct {
	Page    string // URL of the page, or its origin
	Opaque  bool
	Request *fetch.Request

	mu      sync.Mutex
	answers []*entry // of the whole session from here on
}

// archive is the part of the format that is of use here.
type archive struct {
	Log struct {
		Pages []struct {
			ID    string `json:"id"`
			Title string `json:"title"`
		} `json:"pages"`
		Entries []*entry `json:"entries"`
	} `json:"log"`
}

type entry struct {
	PageRef      string `json:"pageref"`
	Error        string `json:"_error"`
	ResourceType string `json:"_resourceType"`
	Request      struct {
		Method   string     `json:"method"`
		URL      string     `json:"url"`
		Headers  []nameText `json:"headers"`
		Cookies  []nameText `json:"cookies"`
		PostData *struct {
			Text     string `json:"text"`
			MimeType string `json:"mimeType"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		Headers     []nameText `json:"headers"`
		RedirectURL string     `json:"redirectURL"`
		Error       string     `json:"_error"`
		Content     struct {
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`

	used bool // as a hop of a fetch before it
}

type nameText struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Read reads a recording.
func Read(r io.Reader) (*Session, error) {
	var a archive
	if err := json.NewDecoder(r).Decode(&a); err != nil {
		return nil, fmt.Errorf("har: reading the recording: %w; save it again from the network panel", err)
	}
	if a.Log.Entries == nil {
		return nil, fmt.Errorf("har: there is no log.entries in the file; save it from the network panel as HAR")
	}
	titles := map[string]string{}
	for _, p := range a.Log.Pages {
		titles[p.ID] = p.Title
	}
	var entries []*entry
	for _, e := range a.Log.Entries {
		if e != nil {
			entries = append(entries, e)
		}
	}
	s := &Session{Requests: len(entries)}
	for i, e := range entries {
		if e.used || !e.isFetch() {
			continue
		}
		f := &Fetch{Request: e.request(), answers: around(entries, i)}
		f.Page = e.page(titles[e.PageRef])
		if f.Page == "null" {
			f.Page, f.Opaque = "https://sandbox.invalid/", true
		}
		if f.Page == "" {
			continue
		}
		e.markHops(entries[i+1:])
		s.Fetches = append(s.Fetches, f)
	}
	return s, nil
}

// around is the entries from which e's fetch may be answered: browsers put a
// preflight before the request or behind it.
func around(entries []*entry, i int) []*entry {
	from := i
	for from > 0 && i-from < 8 {
		from--
	}
	return entries[from:min(len(entries), i+64)]
}

// isFetch reports whether a script made the request, to be read by it.
func (e *entry) isFetch() bool {
	if e.isPreflight() {
		return false
	}
	switch header.Lower(e.get("Sec-Fetch-Mode")) {
	case "cors":
		return true
	case "navigate", "websocket", "no-cors", "same-origin":
		return false
	}
	switch e.ResourceType {
	case "fetch", "xhr":
		return true
	}
	return e.get("Origin") != ""
}

func (e *entry) isPreflight() bool {
	return e.ResourceType == "preflight" || e.Request.Method == http.MethodOptions && e.get(header.AccessControlRequestMethod) != ""
}

func (e *entry) get(name string) string { return find(e.Request.Headers, name) }

func find(list []nameText, name string) string {
	for _, f := range list {
		if header.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func (e *entry) page(title string) string {
	if o := e.get("Origin"); o != "" {
		return o
	}
	if r := e.get("Referer"); r != "" {
		return r
	}
	if u, err := url.Parse(title); err == nil && u.Host != "" {
		return title // Chromium's title of a page is its URL
	}
	return ""
}

// request is what the page asked for: without what the browser wrote.
func (e *entry) request() *fetch.Request {
	r := &fetch.Request{URL: e.Request.URL, Method: e.Request.Method}
	for _, f := range e.Request.Headers {
		switch lower := header.Lower(f.Name); lower {
		case "user-agent", "accept-language", "priority", "pragma":
			continue
		case "accept":
			if f.Value == "*/*" {
				continue
			}
		case "cache-control":
			if f.Value == "no-cache" || f.Value == "max-age=0" {
				continue
			}
		default:
			if strings.HasPrefix(f.Name, ":") || header.IsForbiddenRequest(f.Name, f.Value) || !header.IsToken(f.Name) {
				continue
			}
		}
		r.Header = append(r.Header, header.Field{Name: f.Name, Value: f.Value})
	}
	if e.Request.PostData != nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		r.Body = []byte(e.Request.PostData.Text)
	}
	if len(e.Request.Cookies) > 0 || e.get("Cookie") != "" {
		r.Credentials = fetch.CredentialsInclude
	}
	return r
}

// markHops marks the entries to which redirects led, so that each fetch is one.
func (e *entry) markHops(rest []*entry) {
	from := e
	for range 20 {
		next := from.location()
		if next == "" {
			return
		}
		found := false
		for _, o := range rest[:min(len(rest), 64)] {
			if !o.used && !o.isPreflight() && o.Request.URL == next {
				o.used, found, from = true, true, o
				break
			}
		}
		if !found {
			return
		}
	}
}

func (e *entry) location() string {
	if e.Response.Status < 300 || e.Response.Status > 399 {
		return ""
	}
	ref := find(e.Response.Headers, "Location")
	if ref == "" {
		ref = e.Response.RedirectURL
	}
	base, err := url.Parse(e.Request.URL)
	if err != nil || ref == "" {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil {
		return ""
	}
	return u.String()
}

// RoundTrip answers as the recording does.
func (f *Fetch) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if req.Body != nil {
		req.Body.Close()
	}
	isPreflight := req.Method == http.MethodOptions && len(req.Header[header.AccessControlRequestMethod]) > 0
	var answered *entry
	for _, e := range f.answers {
		if e.Request.Method == req.Method && sameURL(e.Request.URL, req.URL.String()) && e.isPreflight() == isPreflight {
			answered = e
			if e.Response.Status > 0 {
				break
			}
		}
	}
	if answered == nil && isPreflight {
		// Some browsers record no preflights. Where there is an answer to the
		// request, the preflight must have been a yes.
		for _, e := range f.answers {
			if sameURL(e.Request.URL, req.URL.String()) && !e.isPreflight() && e.Response.Status > 0 {
				return consent(req), nil
			}
		}
	}
	if answered == nil {
		return nil, explain.ErrNotRecorded
	}
	return answered.response(req)
}

func sameURL(a, b string) bool {
	a, _, _ = strings.Cut(a, "#")
	return a == b
}

// consent is a preflight's answer that says yes to what was asked.
func consent(req *http.Request) *http.Response {
	h := http.Header{
		header.AccessControlAllowOrigin:      req.Header[header.Origin],
		header.AccessControlAllowCredentials: {"true"},
		header.AccessControlAllowMethods:     req.Header[header.AccessControlRequestMethod],
		header.AccessControlAllowHeaders:     req.Header[header.AccessControlRequestHeaders],
	}
	return &http.Response{StatusCode: http.StatusNoContent, Status: "204 No Content", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody, Request: req}
}

func (e *entry) response(req *http.Request) (*http.Response, error) {
	if e.Response.Status <= 0 {
		said := e.Error
		if said == "" {
			said = e.Response.Error
		}
		return nil, failure(said, req.URL.Hostname())
	}
	text := []byte(e.Response.Content.Text)
	if e.Response.Content.Encoding == "base64" {
		// What does not decode is not needed: the headers decide.
		text, _ = base64.StdEncoding.DecodeString(e.Response.Content.Text)
	}
	res := &http.Response{
		StatusCode: e.Response.Status, Status: fmt.Sprintf("%d %s", e.Response.Status, e.Response.StatusText),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader(string(text))),
	}
	for _, f := range e.Response.Headers {
		// The body is recorded as it was once decoded.
		if header.IsToken(f.Name) && !header.EqualFold(f.Name, "Content-Encoding") && !header.EqualFold(f.Name, "Content-Length") {
			for value := range strings.SplitSeq(f.Value, "\n") { // how Chromium joins lines of one name
				res.Header.Add(f.Name, value)
			}
		}
	}
	return res, nil
}

// failure is the error behind a browser's name for it, so that it is explained as
// if it happened here.
func failure(said, host string) error {
	var err error
	switch strings.TrimPrefix(said, "net::") {
	case "ERR_NAME_NOT_RESOLVED":
		err = &net.DNSError{Name: host, Err: "no such host", IsNotFound: true}
	case "ERR_CONNECTION_REFUSED":
		err = syscall.ECONNREFUSED
	case "ERR_CONNECTION_RESET", "ERR_CONNECTION_CLOSED", "ERR_EMPTY_RESPONSE":
		err = io.EOF
	case "ERR_TIMED_OUT", "ERR_CONNECTION_TIMED_OUT":
		err = os.ErrDeadlineExceeded
	case "ERR_ADDRESS_UNREACHABLE", "ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED":
		err = syscall.EHOSTUNREACH
	case "ERR_CERT_AUTHORITY_INVALID":
		err = x509.UnknownAuthorityError{}
	case "ERR_CERT_DATE_INVALID":
		err = x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}
	case "ERR_CERT_COMMON_NAME_INVALID":
		err = x509.HostnameError{Certificate: &x509.Certificate{}, Host: host}
	case "ERR_SSL_PROTOCOL_ERROR", "ERR_SSL_VERSION_OR_CIPHER_MISMATCH":
		err = tls.AlertError(40)
	case "ERR_FAILED", "":
		return explain.ErrNotRecorded
	default:
		return fmt.Errorf("the browser recorded %s", said)
	}
	return fmt.Errorf("the browser recorded %s: %w", said, err)
}
