package explain_test

import (
	"encoding/json"
	"testing"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
)

// The JSON is golden: what is there stays, or the version of the schema grows.
func TestRecord(t *testing.T) {
	s := find("authorization-wildcard")
	d, err := explain.AskAll(t.Context(), &fetch.Browser{Transport: web(s.web)}, s.question())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(d.Record(explain.English), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "record.json", string(text)+"\n")
}

// What stands in JSON can be told apart byte by byte: one code point for one byte.
func TestRecordKeepsBytes(t *testing.T) {
	s := find("origin-other")
	s.web = always(says(200, acao, "\xff\x80é"))
	text, err := json.Marshal(s.ask(t).Record(explain.English))
	if err != nil {
		t.Fatal(err)
	}
	var r explain.Record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var got string
	for _, f := range r.Exchanges[0].ResponseHeader {
		if f[0] == acao {
			got = f[1]
		}
	}
	if want := "\u00ff\u0080\u00c3\u00a9"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
