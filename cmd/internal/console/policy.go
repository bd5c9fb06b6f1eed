package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/crossorigin/cors/policyfile"
)

// replayed is how many requests a policy is tried on before it is applied.
const replayed = 1_000

// maxPast is how many policies can be brought back.
const maxPast = 20

// An editing is what is done to the policy on its panel.
type editing struct {
	console *Console

	mu     sync.Mutex // one after the other: what a check takes is bounded once
	past   [][]byte   // what was replaced from here, the latest last
	latest []byte     // by what
}

func mountPolicy(c *Console, mux *http.ServeMux) {
	e := &editing{console: c}
	mux.HandleFunc("GET /policy/state", e.serveState)
	mux.HandleFunc("GET /policy/cors.yaml", e.download)
	mux.HandleFunc("GET /policy/schema.json", schema)
	mux.HandleFunc("POST /policy/check", e.check)
	mux.HandleFunc("POST /policy/apply", e.apply)
	mux.HandleFunc("POST /policy/undo", e.undo)
}

// A policyView is what the panel shows before its script has run.
type policyView struct {
	Text string
	Path string // of the file, or ""
}

func policyData(c *Console, _ *http.Request) any {
	p := c.options.Policy()
	return policyView{Text: string(textOf(p)), Path: p.Path}
}

// textOf is the policy as a file, whether or not it came from one.
func textOf(p Policy) []byte {
	if p.Text == nil && p.File != nil {
		return policyfile.Format(p.File)
	}
	return p.Text
}

// A state is which policy is in force.
type state struct {
	Text string `json:"text"`
	Tag  string `json:"tag"`  // of the text: what a change says it begins with, in If-Match
	Path string `json:"path"` // of the file that a change is written to, or ""
	Undo int    `json:"undo"` // how many changes made from here can be taken back
}

func (e *editing) state() state {
	p := e.console.options.Policy()
	text := textOf(p)
	if !bytes.Equal(text, e.latest) {
		e.past, e.latest = nil, nil // somebody else has changed it meanwhile
	}
	return state{Text: string(text), Tag: tagOf(text), Path: p.Path, Undo: len(e.past)}
}

func tagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

func (e *editing) serveState(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.state()
	if r.Header.Get("If-None-Match") == now.Tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	reply(w, http.StatusOK, now)
}

func (e *editing) download(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Disposition", `attachment; filename="cors.yaml"`)
	w.Write(textOf(e.console.options.Policy()))
}

// schema serves what the editor completes from.
func schema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	io.WriteString(w, policyfile.Schema())
}

// A checked is what would come of a policy.
type checked struct {
	Mistakes []mistake `json:"mistakes"`
	Replay   *replay   `json:"replay,omitempty"` // where there are no mistakes
}

// A mistake is one of policyfile's.
type mistake struct {
	Line   int    `json:"line"`   // 0 where it is in no one place
	Column int    `json:"column"` // in characters
	Value  string `json:"value"`
	Text   string `json:"text"` // what is wrong, and what to do
}

func (e *editing) check(w http.ResponseWriter, r *http.Request) {
	text, ok := readPolicy(w, r)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	file, err := policyfile.Parse(text)
	if err != nil {
		reply(w, http.StatusOK, checked{Mistakes: mistakesOf(err)})
		return
	}
	result := checked{Mistakes: []mistake{}}
	if now := e.console.options.Policy().File; now != nil {
		tried, err := newReplay(now, file, e.console.last(replayed))
		if err != nil {
			reply(w, http.StatusOK, checked{Mistakes: mistakesOf(err)})
			return
		}
		result.Replay = &tried
	}
	reply(w, http.StatusOK, result)
}

// readPolicy reads a policy that is no longer than one may be.
func readPolicy(w http.ResponseWriter, r *http.Request) (text []byte, ok bool) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, policyfile.MaxSize))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		fail(w, http.StatusRequestEntityTooLarge, "long", fmt.Sprintf("this is longer than a policy may be, which is %d bytes; write wildcards in place of single origins", policyfile.MaxSize))
		return nil, false
	case err != nil:
		return nil, false // the client has gone
	}
	return text, true
}

// apply puts the policy that is sent into force, if the one in force is still
// that of If-Match.
func (e *editing) apply(w http.ResponseWriter, r *http.Request) {
	text, ok := readPolicy(w, r)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	base, ok := e.base(w, r)
	if !ok {
		return
	}
	if !e.put(w, base, text) {
		return
	}
	if !bytes.Equal(base, text) {
		e.past = append(e.past, base)
		e.past = e.past[max(0, len(e.past)-maxPast):]
	}
	e.latest = text
	reply(w, http.StatusOK, e.state())
}

// undo puts into force what the last change from here has replaced.
func (e *editing) undo(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	base, ok := e.base(w, r)
	if !ok {
		return
	}
	last := len(e.past) - 1
	if last < 0 {
		fail(w, http.StatusConflict, "no-undo", "no change was made from here that could be undone")
		return
	}
	text := e.past[last]
	if !e.put(w, base, text) {
		return
	}
	e.past, e.latest = e.past[:last], text
	reply(w, http.StatusOK, e.state())
}

// base is the text in force, if the policy may be changed and the client knows
// that text.
func (e *editing) base(w http.ResponseWriter, r *http.Request) (text []byte, ok bool) {
	if e.console.options.Apply == nil {
		fail(w, http.StatusForbidden, "read-only", "the policy is only to be looked at; start cors serve with --edit")
		return nil, false
	}
	now := e.state()
	if r.Header.Get("If-Match") != now.Tag {
		fail(w, http.StatusPreconditionFailed, "changed", ErrChanged.Error())
		return nil, false
	}
	return []byte(now.Text), true
}

// put has text applied, or tells why it is not.
func (e *editing) put(w http.ResponseWriter, base, text []byte) bool {
	err := e.console.options.Apply(base, text)
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrChanged):
		fail(w, http.StatusPreconditionFailed, "changed", err.Error())
	default:
		reply(w, http.StatusUnprocessableEntity, checked{Mistakes: mistakesOf(err)})
	}
	return false
}

// mistakesOf has one mistake for each of the errors joined in err.
func mistakesOf(err error) []mistake {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []mistake
		for _, err := range joined.Unwrap() {
			all = append(all, mistakesOf(err)...)
		}
		return all
	}
	var e *policyfile.Error
	if !errors.As(err, &e) {
		return []mistake{{Text: visible(err.Error())}}
	}
	place := fmt.Sprintf("%d:%d: ", e.Line, e.Column)
	_, text, found := strings.Cut(e.Error(), place)
	if !found {
		text = e.Error()
	}
	return []mistake{{Line: e.Line, Column: e.Column, Value: e.Value, Text: visible(text)}}
}

// fail answers with what went wrong: code is for scripts, text for people.
func fail(w http.ResponseWriter, status int, code, text string) {
	reply(w, status, map[string]string{"code": code, "error": text})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // an error is the client's, who has gone
}
