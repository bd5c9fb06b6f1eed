package stdio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/stdio"
	"github.com/crossorigin/cors/fetch"
)

// FuzzServe feeds lines to the engine: it never panics, whatever it is given it
// ends well, and each of its answers is one line of JSON with an id and one
// result.
func FuzzServe(f *testing.F) {
	f.Add(fetching(1, "a", `{"url":"https://api.example.com/","method":"POST","headers":[["X-A","1"]],"body":"aGk="}`))
	f.Add(`{"id":1,"abort":true}` + "\n" + `{"id":1,"session":"a","op":"end-session"}`)
	f.Add(`{"id":1,"session":"a","op":"headers","guard":"request","do":"set","headers":[["a","b"]],"name":"a","value":"c"}`)
	f.Add(`{"id":1,"session":"a","op":"cookie-set","url":"https://a.example/","cookie":"a=1"}`)
	f.Add("\n\x00\xff{}[]\n" + `{"id":-0,"session":"\ud800","op":""}`)
	f.Fuzz(func(t *testing.T, input string) {
		var out bytes.Buffer
		open := func() *fetch.Browser {
			return &fetch.Browser{Cookies: &fetch.CookieJar{}, Transport: serve{http.HandlerFunc(echo)}}
		}
		if err := stdio.Serve(context.Background(), strings.NewReader(input), &out, open, time.Minute); err != nil {
			t.Fatalf("Serve(%q) = %v", input, err)
		}
		for line := range strings.Lines(out.String()) {
			var answer map[string]any
			if err := json.Unmarshal([]byte(line), &answer); err != nil {
				t.Fatalf("input %q: answer %q: %v", input, line, err)
			}
			if _, ok := answer["id"]; !ok || len(answer) != 2 {
				t.Errorf("input %q: answer %q, want an id and one result", input, line)
			}
		}
	})
}
