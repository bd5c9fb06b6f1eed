package scenario

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// A Scenario is what a page fetches, and how the servers answer.
type Scenario struct {
	ID      string  `json:"id"`
	Fetches []Fetch `json:"fetches"`
	Hops    []Hop   `json:"hops"`
	Page    string  `json:"page,omitempty"` // "null" for a sandboxed frame, whose origin is opaque
}

// A Fetch holds the arguments of one call of fetch().
type Fetch struct {
	URL         string      `json:"url"`
	Method      string      `json:"method"`
	Headers     [][2]string `json:"headers"`
	Mode        string      `json:"mode"`
	Credentials string      `json:"credentials"`
	Redirect    string      `json:"redirect"`
	Body        *string     `json:"body,omitempty"`
	Cache       string      `json:"cache,omitempty"` // "" for "no-store"
}

// A Hop is what is at one path: to an actual request, and to a preflight.
type Hop struct {
	Actual    Answer `json:"actual"`
	Preflight Answer `json:"preflight"`
}

// An Answer is a response as it is scripted.
type Answer struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"` // each a line on the wire
	Body    string      `json:"body"`
}

// A Recording is what a browser made of a scenario.
type Recording struct {
	ID       string    `json:"id"`
	Outcomes []Outcome `json:"outcomes"` // one for each fetch
	Requests []Request `json:"requests"` // all that reached the servers, in order
}

// An Outcome is what the page sees of a fetch.
type Outcome struct {
	Error      string      `json:"error"` // the name of the exception; then the rest is empty
	Type       string      `json:"type"`
	Status     int         `json:"status"`
	Redirected bool        `json:"redirected"`
	URL        string      `json:"url"`
	Headers    [][2]string `json:"headers"`
	Body       any         `json:"body"` // a string, or the error of reading it
}

// MarshalJSON writes either the error or the response.
func (o Outcome) MarshalJSON() ([]byte, error) {
	if o.Error != "" {
		return marshal(struct {
			Error string `json:"error"`
		}{o.Error})
	}
	if o.Headers == nil {
		o.Headers = [][2]string{}
	}
	return marshal(struct {
		Type       string      `json:"type"`
		Status     int         `json:"status"`
		Redirected bool        `json:"redirected"`
		URL        string      `json:"url"`
		Headers    [][2]string `json:"headers"`
		Body       any         `json:"body"`
	}{o.Type, o.Status, o.Redirected, o.URL, o.Headers, o.Body})
}

// A Request is what reached a server.
type Request struct {
	At      string      `json:"at"` // as in "{B}/0"
	Method  string      `json:"method"`
	Headers [][2]string `json:"headers"` // in lower case, sorted; without what every browser has its own way with
	Body    string      `json:"body,omitempty"`
}

// Read reads a file of one JSON object a line, compressed if it ends in ".gz".
func Read[T Scenario | Recording](name string) ([]T, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("reading %q: %w", name, err)
		}
	}
	var all []T
	for d := json.NewDecoder(r); ; {
		var one T
		if err := d.Decode(&one); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading %q: object %d: %w", name, len(all)+1, err)
		}
		all = append(all, one)
	}
}

// Write writes all to a file, one JSON object a line, compressed if it ends in
// ".gz".
func Write[T Scenario | Recording](name string, all []T) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	var w io.Writer = f
	if strings.HasSuffix(name, ".gz") {
		z := gzip.NewWriter(f)
		defer z.Close()
		w = z
	}
	b := bufio.NewWriter(w)
	for _, one := range all {
		line, err := marshal(one)
		if err != nil {
			return err
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}

func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}
