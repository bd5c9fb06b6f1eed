package policyfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/policyfile"
)

func TestTree(t *testing.T) {
	got, err := policyfile.Tree([]byte("a: &a [x, '1', 1, true, ~, 1.5]\nb:\n  c: *a\n  <<: {d: e}\n"))
	if err != nil {
		t.Fatal(err)
	}
	list := []any{"x", "1", int64(1), true, nil, 1.5}
	want := map[string]any{"a": list, "b": map[string]any{"c": list, "d": "e"}}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
}

func TestTreeKeepsWithinBounds(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += string(rune('b'+i)) + ": &" + string(rune('b'+i)) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(rune('a'+i))+", ", 10), ", ") + "]\n"
	}
	for _, text := range []string{bomb, strings.Repeat("[", 10_000), strings.Repeat("a: b\n", 20_000)} {
		if _, err := policyfile.Tree([]byte(text)); err == nil {
			t.Errorf("%.40q…: no error", text)
		}
	}
}
