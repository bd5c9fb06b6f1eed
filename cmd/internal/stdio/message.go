package stdio

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A message is a line that came in. What it is for, its fields tell: a request,
// an abort, or an operation. Fields that are not known are left alone.
type message struct {
	ID      json.RawMessage `json:"id"`
	Session string          `json:"session"`
	Client  *client         `json:"client"`
	Request *request        `json:"request"`
	Abort   bool            `json:"abort"`

	Op      string  `json:"op"`
	Guard   string  `json:"guard"`
	Do      string  `json:"do"`
	Headers headers `json:"headers"`
	Name    string  `json:"name"`
	Value   string  `json:"value"`
	URL     string  `json:"url"`
	Cookie  string  `json:"cookie"`
}

// A client is the page: an environment settings object.
type client struct {
	Origin string `json:"origin"`
	URL    string `json:"url"`
}

// A request is what the page asks for. Most of its fields are those of
// [fetch.Request].
type request struct {
	URL               string            `json:"url"`
	Method            string            `json:"method"`
	Headers           headers           `json:"headers"`
	Mode              fetch.Mode        `json:"mode"`
	Credentials       fetch.Credentials `json:"credentials"`
	Redirect          fetch.Redirect    `json:"redirect"`
	Cache             fetch.Cache       `json:"cache"`
	Referrer          *string           `json:"referrer"`
	ReferrerPolicy    string            `json:"referrerPolicy"`
	Body              *string           `json:"body"`
	BodySource        string            `json:"bodySource"`
	UseCORSPreflight  bool              `json:"useCORSPreflight"`
	UseURLCredentials bool              `json:"useURLCredentials"`
	Keepalive         bool              `json:"keepalive"`
	Destination       fetch.Destination `json:"destination"`
	Integrity         string            `json:"integrity"`
}

// headers are pairs of name and value, in which a code point is a byte.
type headers [][2]string

// parseMessage reads a line. The message has what could be read even where
// there is an error, so that the answer finds its way.
func parseMessage(line []byte) (*message, error) {
	m := new(message)
	d := json.NewDecoder(bytes.NewReader(line))
	err := d.Decode(m)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is something behind the object; write one object a line")
		}
	}
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typed):
		err = fmt.Errorf("%s: %s is not what belongs there", typed.Field, typed.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the object has no end; write it in one line")
	}
	switch {
	case len(m.ID) == 0, m.ID[0] != '-' && m.ID[0]-'0' > 9:
		m.ID = nil // which is written as null
		if err == nil {
			err = errors.New("id: a number is missing, which the answer repeats")
		}
	}
	return m, err
}

// open opens the page that c is.
func (c client) open(b *fetch.Browser) (*fetch.Page, error) {
	switch {
	case c.Origin == "" && c.URL == "":
		return nil, errors.New("client.origin is missing; give an origin, or null for an opaque one")
	case c.Origin == "null":
		page := b.Open(c.URL)
		page.Opaque = true
		if c.URL == "" {
			page.URL = "about:blank"
		}
		return page, nil
	case c.URL == "":
		c.URL = c.Origin + "/"
	}
	if page := b.Open(c.URL); c.Origin == "" || page.Origin().String() == c.Origin {
		return page, nil
	}
	// A document that has its origin from another: about:blank, blob:, data:.
	page := b.Open(c.Origin + "/")
	if page.Origin().String() != c.Origin {
		return nil, fmt.Errorf("client.origin: %q is no origin; write one as %q", c.Origin, "https://app.example.com")
	}
	return page, nil
}

// fetchRequest is m's request as package fetch has it.
func (m *message) fetchRequest() (*fetch.Request, error) {
	in := m.Request
	out := &fetch.Request{
		URL: in.URL, Method: in.Method, Mode: in.Mode, Credentials: in.Credentials, Redirect: in.Redirect, Cache: in.Cache,
		ReferrerPolicy: fetch.ReferrerPolicy(in.ReferrerPolicy), Integrity: in.Integrity, Keepalive: in.Keepalive, Destination: in.Destination,
		UploadListeners: in.UseCORSPreflight, URLCredentials: in.UseURLCredentials,
	}
	if in.URL == "" {
		return nil, errors.New("request.url is missing")
	}
	var err error
	if out.Header, err = in.Headers.fields("request.headers"); err != nil {
		return nil, err
	}
	switch {
	case in.Referrer == nil || *in.Referrer == "about:client":
		if m.Client.inheritsOrigin() {
			out.Referrer = "no-referrer"
		}
	case *in.Referrer == "":
		out.Referrer = "no-referrer"
	default:
		out.Referrer = *in.Referrer
	}
	if in.Body == nil {
		return out, nil
	}
	body, err := base64.StdEncoding.DecodeString(*in.Body)
	if err != nil {
		return nil, fmt.Errorf("request.body: %w; write the bytes in base64, with padding", err)
	}
	switch in.BodySource {
	case "", "bytes":
		out.Body = body
	case "stream":
		out.Stream = bytes.NewReader(body)
	default:
		return nil, fmt.Errorf(`request.bodySource: %q; write null, "bytes" or "stream"`, in.BodySource)
	}
	return out, nil
}

// inheritsOrigin reports whether c's document is of a URL that is no referrer,
// such as about:blank.
func (c client) inheritsOrigin() bool {
	scheme, _, _ := strings.Cut(c.URL, ":")
	return scheme == "about" || scheme == "blob" || scheme == "data"
}

func (h headers) fields(where string) ([]header.Field, error) {
	list := make([]header.Field, 0, len(h))
	for i, pair := range h {
		name, ok := isomorphicEncode(pair[0])
		if !ok {
			return nil, fmt.Errorf("%s[%d][0]: %q holds a code point above 255; each stands for a byte", where, i, pair[0])
		}
		value, ok := isomorphicEncode(pair[1])
		if !ok {
			return nil, fmt.Errorf("%s[%d][1]: %q holds a code point above 255; each stands for a byte", where, i, pair[1])
		}
		list = append(list, header.Field{Name: name, Value: value})
	}
	return list, nil
}

func pairs(list []header.Field) headers {
	h := make(headers, 0, len(list))
	for _, f := range list {
		h = append(h, [2]string{isomorphicDecode(f.Name), isomorphicDecode(f.Value)})
	}
	return h
}

// An answer is a line that goes out.
type answer struct {
	ID       json.RawMessage `json:"id"` // null where the line had none
	Response *Response       `json:"response,omitempty"`
	Error    *failure        `json:"error,omitempty"`
	Headers  *headers        `json:"headers,omitempty"`
	Cookie   *string         `json:"cookie,omitempty"`
	OK       bool            `json:"ok,omitempty"`
}

// A Response is what the page may see, in JSON: docs/stdio.md has the fields.
type Response struct {
	Type       fetch.ResponseType `json:"type"`
	URL        string             `json:"url"`
	Redirected bool               `json:"redirected"`
	Status     int                `json:"status"`
	StatusText string             `json:"statusText"`
	Headers    headers            `json:"headers"`
	Body       *string            `json:"body"`
	BodyError  bool               `json:"bodyError,omitempty"`
}

// A failure says why there is no response.
type failure struct {
	Kind   string `json:"kind"` // "network", "request", "aborted" or "protocol"
	Reason string `json:"reason"`
}

// failureOf says what a page does not learn of err.
func failureOf(err error) *failure {
	var blocked *fetch.BlockedError
	switch {
	case !errors.As(err, &blocked):
		return &failure{"request", err.Error()} // there is no request to make
	case blocked.Code == fetch.CodeAborted:
		return &failure{"aborted", err.Error()}
	}
	return &failure{"network", fmt.Sprintf("%v (%v)", err, blocked.Step)}
}

// ReadResponse reads res to the end, which closes it. Nil stays nil.
func ReadResponse(res *fetch.Response) *Response {
	if res == nil {
		return nil
	}
	defer res.Body.Close()
	out := &Response{
		Type: res.Type, URL: res.URL, Redirected: res.Redirected, Status: res.Status,
		StatusText: isomorphicDecode(res.StatusText), Headers: pairs(res.Header),
	}
	if res.Body == fetch.NoBody || res.Type == fetch.TypeOpaque {
		return out
	}
	body, err := io.ReadAll(res.Body)
	encoded := base64.StdEncoding.EncodeToString(body)
	out.Body, out.BodyError = &encoded, err != nil
	return out
}

// isomorphicEncode writes each code point of s as the byte of that number; ok
// is false where one has none.
//
// https://infra.spec.whatwg.org/#isomorphic-encode
func isomorphicEncode(s string) (encoded string, ok bool) {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b.WriteByte(byte(r))
	}
	return b.String(), true
}

// isomorphicDecode is its reverse.
//
// https://infra.spec.whatwg.org/#isomorphic-decode
func isomorphicDecode(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}
