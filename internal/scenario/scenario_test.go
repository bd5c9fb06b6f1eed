package scenario_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/internal/scenario"
)

func TestFilesRoundTrip(t *testing.T) {
	empty, body := "", "b"
	scenarios := []scenario.Scenario{{
		ID: "a-1", Page: "null",
		Fetches: []scenario.Fetch{
			{URL: "{B}/0", Method: "PUT", Headers: []scenario.Field{{"X-A", "\u00e9<&>"}}, Mode: "cors", Credentials: "omit", Redirect: "manual", Body: &body, Cache: "reload"},
			{URL: "{B}/0", Method: "", Headers: []scenario.Field{}, Body: &empty, Referrer: &empty, ReferrerPolicy: "origin", Integrity: "sha256-x", Keepalive: true},
		},
		Hops: []scenario.Hop{{
			Actual:    scenario.Answer{Status: 200, Headers: []scenario.Field{{"A", "1"}, {"A", "2"}}, Body: "z"},
			Preflight: scenario.Answer{Status: 204, Headers: []scenario.Field{}},
		}},
	}}
	recordings := []scenario.Recording{{
		ID: "a-1",
		Outcomes: []scenario.Outcome{
			{Error: "TypeError"},
			{Type: "cors", Status: 200, Redirected: true, URL: "{B}/0", Headers: []scenario.Field{{"x", "y"}}, Body: "z"},
			{Type: "basic", Status: 200, Headers: []scenario.Field{}, BodyError: "TypeError"},
		},
		Requests: []scenario.Request{{At: "{B}/0", Method: "PUT", Headers: []scenario.Field{{"origin", "null"}}, Body: "b"}},
	}}
	for _, name := range []string{"plain.jsonl", "compressed.jsonl.gz"} {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, filepath.Join(t.TempDir(), name), scenarios)
			roundTrip(t, filepath.Join(t.TempDir(), name), recordings)
		})
	}
}

func roundTrip[T scenario.Scenario | scenario.Recording](t *testing.T, name string, list []T) {
	t.Helper()
	if err := scenario.Save(name, list); err != nil {
		t.Fatal(err)
	}
	got, err := scenario.Load[T](name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("saved and loaded: -want +got:\n%s", diff)
	}
}

// The recordings were written by another program: what we write must be the
// same to the byte.
func TestRecordingsAreWrittenAsTheyAreInTestdata(t *testing.T) {
	for _, b := range browsers {
		var got bytes.Buffer
		if err := scenario.Write(&got, load[scenario.Recording](t, b.recording)); err != nil {
			t.Fatal(err)
		}
		want := unzip(t, "testdata/"+b.recording)
		for i, line := range bytes.Split(got.Bytes(), []byte("\n")) {
			if i >= len(want) || string(line) != want[i] {
				t.Fatalf("%s, line %d:\n got %s\nwant %s", b.recording, i+1, line, want[min(i, len(want)-1)])
			}
		}
	}
}

func unzip(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

func TestReadRefusesWhatIsNoScenario(t *testing.T) {
	tests := []struct {
		row, in, want string
	}{
		{"a line that is no JSON", "{\"id\":\"a\"}\n\nx\n", "line 3: invalid character"},
		{"a header that is no pair", `{"fetches":[{"headers":"x"}]}`, "line 1: json: cannot unmarshal"},
		{"a status that is no number", `{"hops":[{"actual":{"status":"200"}}]}`, "line 1: json: cannot unmarshal"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			_, err := scenario.Read[scenario.Scenario](strings.NewReader(tt.in))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Read(%q) = %v, want an error that begins %q", tt.in, err, tt.want)
			}
		})
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.jsonl.gz")
	if err := os.WriteFile(plain, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := scenario.Load[scenario.Scenario](plain); err == nil || !strings.Contains(err.Error(), plain) {
		t.Errorf("Load of what is not compressed, though its name says so: %v, want an error that names %s", err, plain)
	}
}

func TestAMethodThatIsNotGivenIsGET(t *testing.T) {
	got, err := scenario.Read[scenario.Scenario](strings.NewReader(`{"fetches":[{"url":"{A}/0"},{"url":"{A}/0","method":""}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Fetches[0].Method != "GET" || got[0].Fetches[1].Method != "" {
		t.Errorf("methods %q and %q, want GET and none", got[0].Fetches[0].Method, got[0].Fetches[1].Method)
	}
}

func TestPlaceholdersBecomeTheStage(t *testing.T) {
	tests := []struct {
		row, url, want string
	}{
		{"a hop on a server", "{B}/1", "http://localhost:7102/s/a-1/1"},
		{"a query and a fragment stay", "{D}/0?x=y#z", "http://127.0.0.1:7104/s/a-1/0?x=y#z"},
		{"an origin alone", "{C}", "http://localhost:7103"},
		{"a path that is no hop", "{A}/x", "http://localhost:7101/x"},
		{"the scenario's own path", "http://u:p@localhost:7102/s/@/1", "http://u:p@localhost:7102/s/a-1/1"},
		{"several", "{A}, {B}", "http://localhost:7101, http://localhost:7102"},
		{"anything else", "data:text/plain,{E}", "data:text/plain,{E}"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			f := scenario.Recorded.Expand("a-1", scenario.Fetch{URL: tt.url})
			if f.URL != tt.want {
				t.Errorf("%q expands to %q, want %q", tt.url, f.URL, tt.want)
			}
		})
	}
}

func TestWhatABrowserSawIsWrittenWithPlaceholders(t *testing.T) {
	o := scenario.Recorded.Contract("a-1", scenario.Outcome{
		URL:     "http://localhost:7102/s/a-1/1?x",
		Headers: []scenario.Field{{"connection", "close"}, {"access-control-allow-origin", "http://localhost:7101"}, {"content-length", "1"}},
	})
	want := scenario.Outcome{URL: "{B}/1?x", Headers: []scenario.Field{{"access-control-allow-origin", "{A}"}}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAStageStandsWhereItIsTold(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stage := scenario.NewStage(nil)
	stage.Origins = scenario.Origins{"A": "http://127.0.0.1:1", "B": "http://" + l.Addr().String()}
	go stage.Serve(l, "B")
	play := func(answer string) string {
		s := scenario.Scenario{
			ID:      "a-1",
			Fetches: []scenario.Fetch{{URL: "{B}/0", Method: "GET", Mode: "cors"}},
			Hops:    []scenario.Hop{{Actual: scenario.Answer{Status: 200, Headers: []scenario.Field{{"Access-Control-Allow-Origin", answer}}, Body: "read"}}},
		}
		stage.Put(&s)
		defer stage.Remove(s.ID)
		r := scenario.Play(t.Context(), []scenario.Scenario{s}, stage, fetch.Standard, nil)[0]
		return r.Verdict() + "\n" + r.Wire()
	}
	want := `{"type":"cors","status":200,"redirected":false,"url":"{B}/0","headers":[],"body":"read"}
GET {B}/0 origin="{A}" referer="{A}/" sec-fetch-dest="empty" sec-fetch-mode="cors" sec-fetch-site="same-site"`
	if got := play("{A}"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := play("{B}"); !strings.HasPrefix(got, "blocked\nGET") {
		t.Errorf("once the scenario is replaced: %s, want it blocked", got)
	}
	if got := stage.Requests("a-1"); len(got) > 0 {
		t.Errorf("of a scenario that is removed the stage keeps %v", got)
	}
}

func TestTheStageAnswersByteForByte(t *testing.T) {
	stage := scenario.NewStage([]scenario.Scenario{{ID: "a-1", Hops: []scenario.Hop{{
		Actual:    scenario.Answer{Status: 200, Headers: []scenario.Field{{"x-LOW", " \u00e9 "}, {"A", ""}, {"A", "{B}"}}, Body: "ü"},
		Preflight: scenario.Answer{Status: 204, Headers: []scenario.Field{{"P", "/s/@/0"}}, Body: "ignored"},
	}}}})
	tests := []struct {
		row, request, want string
	}{
		{"a request", "GET /s/a-1/0 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 X\r\nx-LOW:  \xe9 \r\nA: \r\nA: http://localhost:7102\r\nConnection: close\r\nContent-Length: 2\r\n\r\nü"},
		{"HEAD has no body", "HEAD /s/a-1/0 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 X\r\nx-LOW:  \xe9 \r\nA: \r\nA: http://localhost:7102\r\nConnection: close\r\nContent-Length: 2\r\n\r\n"},
		{"a preflight", "OPTIONS /s/a-1/0 HTTP/1.1\r\nAccess-Control-Request-Method: PUT\r\n\r\n", "HTTP/1.1 204 X\r\nP: /s/a-1/0\r\nConnection: close\r\n\r\n"},
		{"OPTIONS alone is no preflight", "OPTIONS /s/a-1/0 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 X\r\nx-LOW:  \xe9 \r\nA: \r\nA: http://localhost:7102\r\nConnection: close\r\nContent-Length: 2\r\n\r\nü"},
		{"a hop that there is not", "GET /s/a-1/1 HTTP/1.1\r\n\r\n", "HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		{"another path", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			conn, err := stage.Dial(t.Context(), "tcp", "localhost:7101")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, tt.request); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			if err != nil || string(got) != tt.want {
				t.Errorf("%q\n got %q, %v\nwant %q", tt.request, got, err, tt.want)
			}
		})
	}
}

func TestTheStageRemembersWhatCounts(t *testing.T) {
	stage := scenario.NewStage([]scenario.Scenario{{ID: "a-1", Hops: []scenario.Hop{{Actual: scenario.Answer{Status: 200}}}}})
	transport := &http.Transport{DialContext: stage.Dial}
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1:7104/s/a-1/0", strings.NewReader("b"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"X-B": "1", "Cookie": "z=1; sid=1", "Accept-Language": "en", "Origin": "http://localhost:7101", "User-Agent": "x", "A": "http://localhost:7102/s/a-1/0"} {
		req.Header.Set(name, value)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	want := []scenario.Request{{At: "{D}/0", Method: "POST", Body: "b", Headers: []scenario.Field{
		{"a", "{B}/0"}, {"content-length", "1"}, {"cookie", "true"}, {"origin", "{A}"}, {"x-b", "1"},
	}}}
	if diff := cmp.Diff(want, stage.Requests("a-1")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheStageSurvivesWhatIsNoRequest(t *testing.T) {
	stage := scenario.NewStage(nil)
	for _, in := range []string{"\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", "GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n"} {
		conn, err := stage.Dial(t.Context(), "tcp", "localhost:7101")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, in)
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			dump, _ := httputil.DumpResponse(res, true)
			t.Errorf("%q is answered: %q", in, dump)
		}
		conn.Close()
	}
}

func TestCompareTellsVerdictFromWire(t *testing.T) {
	base := scenario.Recording{ID: "a", Outcomes: []scenario.Outcome{{Error: "TypeError"}}, Requests: []scenario.Request{{At: "{B}/0", Method: "GET", Headers: []scenario.Field{{"origin", "{A}"}}}}}
	tests := []struct {
		row    string
		change func(*scenario.Recording)
		want   []string // kinds of differences
	}{
		{"nothing", func(*scenario.Recording) {}, nil},
		{"another name of error", func(r *scenario.Recording) { r.Outcomes[0].Error = "AbortError" }, nil},
		{"a response in place of an error", func(r *scenario.Recording) { r.Outcomes[0] = scenario.Outcome{Type: "opaque"} }, []string{"verdict"}},
		{"a header that does not count", func(r *scenario.Recording) {
			r.Requests[0].Headers = append(r.Requests[0].Headers, scenario.Field{"pragma", "x"})
		}, nil},
		{"a header that counts", func(r *scenario.Recording) { r.Requests[0].Headers[0][1] = "null" }, []string{"wire"}},
		{"a body", func(r *scenario.Recording) { r.Requests[0].Body = "b" }, []string{"wire"}},
		{"nothing recorded", func(r *scenario.Recording) { r.ID = "b" }, []string{"verdict", "wire"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			other := base
			other.Outcomes, other.Requests = slices.Clone(base.Outcomes), slices.Clone(base.Requests)
			other.Requests[0].Headers = slices.Clone(base.Requests[0].Headers)
			tt.change(&other)
			var kinds []string
			for _, d := range scenario.Compare([]scenario.Recording{base}, []scenario.Recording{other}) {
				kinds = append(kinds, d.Kind)
			}
			if diff := cmp.Diff(tt.want, kinds); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
