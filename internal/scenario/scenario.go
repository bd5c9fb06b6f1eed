package scenario

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Scenario is one act: fetches that a page makes one after the other, and
// what the servers answer.
type Scenario struct {
	ID      string  `json:"id"`
	Page    string  `json:"page,omitempty"` // "null" for a sandboxed frame, whose origin is opaque
	Fetches []Fetch `json:"fetches"`
	Hops    []Hop   `json:"hops"` // what is at path /0, /1, …
}

// A Fetch is a URL and the init of fetch(). Strings that become bytes on the
// wire hold a code point for each byte.
type Fetch struct {
	URL            string  `json:"url"`
	Method         string  `json:"method"`
	Headers        []Field `json:"headers"`
	Mode           string  `json:"mode,omitempty"`
	Credentials    string  `json:"credentials,omitempty"`
	Redirect       string  `json:"redirect,omitempty"`
	Body           *string `json:"body,omitempty"`
	Cache          string  `json:"cache,omitempty"` // "no-store" if not named
	Referrer       *string `json:"referrer,omitempty"`
	ReferrerPolicy string  `json:"referrerPolicy,omitempty"`
	Integrity      string  `json:"integrity,omitempty"`
	Keepalive      bool    `json:"keepalive,omitempty"`
}

// UnmarshalJSON tells a method that is not given from one that is empty.
func (f *Fetch) UnmarshalJSON(data []byte) error {
	type fetch Fetch
	plain := fetch{Method: "GET"}
	err := json.Unmarshal(data, &plain)
	*f = Fetch(plain)
	return err
}

// A Field is a header's name and value.
type Field [2]string

// A Hop is what the servers answer at one path.
type Hop struct {
	Actual    Answer `json:"actual"`
	Preflight Answer `json:"preflight"`
}

// An Answer is a response, byte for byte: each of Headers is a line.
type Answer struct {
	Status  int     `json:"status"`
	Headers []Field `json:"headers"`
	Body    string  `json:"body"`
}

// A Recording is what came of a scenario.
type Recording struct {
	ID       string    `json:"id"`
	Outcomes []Outcome `json:"outcomes"` // one for each fetch
	Requests []Request `json:"requests"` // all that reached the servers, in order
}

// An Outcome is what the page saw of a fetch: an Error, or the rest.
type Outcome struct {
	Error      string
	Type       string
	Status     int
	Redirected bool
	URL        string
	Headers    []Field
	Body       string
	BodyError  string // in place of Body: the name of what was thrown while reading it

	Err error // what package fetch said; no file has it
}

type (
	errorJSON struct {
		Error string `json:"error"`
	}
	outcomeJSON struct {
		Type       string  `json:"type"`
		Status     int     `json:"status"`
		Redirected bool    `json:"redirected"`
		URL        string  `json:"url"`
		Headers    []Field `json:"headers"`
		Body       any     `json:"body"`
	}
)

// MarshalJSON writes {"error"}, or what the page saw.
func (o Outcome) MarshalJSON() ([]byte, error) {
	if o.Error != "" {
		return marshal(errorJSON{o.Error})
	}
	out := outcomeJSON{o.Type, o.Status, o.Redirected, o.URL, o.Headers, o.Body}
	if out.Headers == nil {
		out.Headers = []Field{}
	}
	if o.BodyError != "" {
		out.Body = errorJSON{o.BodyError}
	}
	return marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Outcome) UnmarshalJSON(data []byte) error {
	var in struct {
		errorJSON
		outcomeJSON
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*o = Outcome{Error: in.Error, Type: in.Type, Status: in.Status, Redirected: in.Redirected, URL: in.URL, Headers: in.Headers}
	if in.Body == nil {
		return nil
	}
	if in.Body[0] == '"' {
		return json.Unmarshal(in.Body, &o.Body)
	}
	var failed errorJSON
	err := json.Unmarshal(in.Body, &failed)
	o.BodyError = failed.Error
	return err
}

// A Request is one that reached a server.
type Request struct {
	At      string  `json:"at"` // as in {B}/0
	Method  string  `json:"method"`
	Headers []Field `json:"headers"` // sorted by name; the value of "cookie" is whether sid=1 was in it
	Body    string  `json:"body,omitempty"`
}

// Load reads a file of scenarios or of recordings, one JSON object a line, and
// undoes gzip if its name ends so.
func Load[T Scenario | Recording](name string) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if filepath.Ext(name) == ".gz" {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	list, err := Read[T](r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// Read reads one JSON object a line.
func Read[T Scenario | Recording](r io.Reader) ([]T, error) {
	var list []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, v)
	}
	return list, lines.Err()
}

// Save writes one JSON object a line to the file called name, or to standard
// output if that is "-", and compresses if the name ends in ".gz".
func Save[T Scenario | Recording](name string, list []T) error {
	if name == "-" {
		return Write(os.Stdout, list)
	}
	var data bytes.Buffer
	if filepath.Ext(name) == ".gz" {
		z := gzip.NewWriter(&data)
		if err := Write(z, list); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
	} else if err := Write(&data, list); err != nil {
		return err
	}
	return os.WriteFile(name, data.Bytes(), 0o644)
}

// Write writes one JSON object a line.
func Write[T Scenario | Recording](w io.Writer, list []T) error {
	buffered := bufio.NewWriter(w)
	for i := range list {
		line, err := marshal(list[i])
		if err != nil {
			return err
		}
		buffered.Write(line)
		buffered.WriteByte('\n')
	}
	return buffered.Flush()
}

// marshal leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Origins are those of a stage's servers, by letter: A is the page's own.
type Origins map[string]string

// Recorded are the origins with which recordings are made.
var Recorded = Origins{
	"A": "http://localhost:7101",
	"B": "http://localhost:7102",
	"C": "http://localhost:7103",
	"D": "http://127.0.0.1:7104",
}

// Expand returns f, of scenario id, with the URLs of the stage.
func (o Origins) Expand(id string, f Fetch) Fetch {
	f.URL = o.expand(f.URL, id)
	if f.Referrer != nil {
		referrer := o.expand(*f.Referrer, id)
		f.Referrer = &referrer
	}
	return f
}

// Contract returns out, as a browser saw it in scenario id, with the
// placeholders that Expand replaced, and without the headers of the connection.
func (o Origins) Contract(id string, out Outcome) Outcome {
	out.URL = o.contract(out.URL, id)
	kept := make([]Field, 0, len(out.Headers))
	for _, f := range out.Headers {
		if f[0] != "connection" && f[0] != "content-length" {
			kept = append(kept, Field{f[0], o.contract(f[1], id)})
		}
	}
	out.Headers = kept
	return out
}

// expand writes origins and paths for their placeholders: {B}/1 is that hop of
// scenario id on that server, {B} elsewhere the origin, and /s/@/ the scenario's
// own path.
func (o Origins) expand(s, id string) string {
	if !strings.ContainsAny(s, "{@") {
		return s
	}
	for letter, origin := range o {
		placeholder := "{" + letter + "}"
		for digit := '0'; digit <= '9'; digit++ {
			s = strings.ReplaceAll(s, placeholder+"/"+string(digit), origin+"/s/"+id+"/"+string(digit))
		}
		s = strings.ReplaceAll(s, placeholder, origin)
	}
	return strings.ReplaceAll(s, "/s/@/", "/s/"+id+"/")
}

// contract undoes expand.
func (o Origins) contract(s, id string) string {
	if !strings.ContainsAny(s, ":/") {
		return s
	}
	for letter, origin := range o {
		s = strings.ReplaceAll(s, origin, "{"+letter+"}")
	}
	return strings.ReplaceAll(s, "/s/"+id, "")
}
