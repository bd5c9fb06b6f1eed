package importer

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// A tree is a value of YAML, TOML or JSON, or of what is in one. It has no faults
// of its own: what is not there is empty.
type tree struct{ v any }

// at returns the value of a key, in whatever case it is written.
func (t tree) at(path ...string) tree {
	for _, name := range path {
		m, ok := t.v.(map[string]any)
		if !ok {
			return tree{}
		}
		t = tree{}
		for _, key := range sortedKeys(m) {
			if folded(key) == folded(name) {
				t = tree{m[key]}
				break
			}
		}
	}
	return t
}

// folded is a key without what those who write it differ in.
func folded(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (t tree) there() bool { return t.v != nil }

// keys returns the keys of a mapping, sorted.
func (t tree) keys() []string {
	m, _ := t.v.(map[string]any)
	return sortedKeys(m)
}

// list returns the elements of a list; a value that is none is a list of itself.
func (t tree) list() []tree {
	switch v := t.v.(type) {
	case nil:
		return nil
	case []any:
		all := make([]tree, len(v))
		for i := range v {
			all[i] = tree{v[i]}
		}
		return all
	case []map[string]any: // of TOML
		all := make([]tree, len(v))
		for i := range v {
			all[i] = tree{v[i]}
		}
		return all
	}
	return []tree{t}
}

// text returns a scalar as it is written.
func (t tree) text() string {
	switch v := t.v.(type) {
	case nil:
		return ""
	case map[string]any, []any, []map[string]any:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// texts returns the scalars of a list, or of a text with commas.
func (t tree) texts() (all []string) {
	var parts []string
	for _, element := range t.list() {
		parts = append(parts, strings.Split(element.text(), ",")...)
	}
	add(&all, parts...)
	return all
}

func (t tree) is() bool { return t.text() == "true" }

// documents reads what may be several documents of YAML.
func documents(data []byte) ([]tree, error) {
	var all []tree
	for _, part := range bytes.Split(append([]byte("\n"), data...), []byte("\n---")) {
		if len(bytes.TrimSpace(part)) == 0 || onlyComments(part) {
			continue
		}
		if len(all) == maxDocuments {
			return nil, fmt.Errorf("there are more than %d documents; take those that are of CORS", maxDocuments)
		}
		v, err := policyfile.Tree(part)
		if err != nil {
			return nil, err
		}
		all = append(all, tree{v})
	}
	return all, nil
}

const maxDocuments = 200

func onlyComments(text []byte) bool {
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// seconds sets how long browsers keep the answer to a preflight: zero that is
// written is zero that is sent.
func (r *result) seconds(p *cors.Policy, where, text string) {
	if text == "" {
		return
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n > 1<<31-1:
		r.lost(where, "max-age", text, "this is no number of seconds", "write max-age yourself")
	case n <= 0:
		p.MaxAge = -1
	default:
		p.MaxAge = time.Duration(n) * time.Second
	}
}
