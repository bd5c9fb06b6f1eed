package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

// A changing is a console whose policy can be changed; what is in force is in
// memory.
type changing struct {
	*Console
	now    Policy
	refuse error // what Apply answers
}

func newChanging(t *testing.T) *changing {
	t.Helper()
	c := &changing{now: policyOfTest()}
	var err error
	c.Console, err = New(Options{Address: "localhost:8081", Gateway: "http://localhost:8080",
		Policy: func() Policy { return c.now },
		Apply: func(base, text []byte) error {
			if c.refuse != nil {
				return c.refuse
			}
			file, err := policyfile.Parse(text)
			if err == nil {
				c.now = Policy{Text: text, Path: c.now.Path, File: file}
			}
			return err
		}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends what the page would, and reads the answer into v.
func send(t *testing.T, c *Console, method, path, body string, v any, fields ...string) (status int) {
	t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, method, path, body, fields...))
	if v != nil {
		if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
			t.Fatalf("%s %s: %v in %q", method, path, err, w.Body)
		}
	}
	return w.Code
}

func TestMistakesHaveTheirPlace(t *testing.T) {
	c := newChanging(t)
	var got checked
	send(t, c.Console, "POST", "/policy/check", "routes:\n  /:\n    origins: https://a.example/\n    methods: [PUT, put]\n", &got)
	want := checked{Mistakes: []mistake{
		{3, 14, "https://a.example/", `route "/": origins[0]: "https://a.example/": an origin has no path; write "https://a.example"`},
		{4, 20, "put", `route "/": methods[1]: "put": methods are case-sensitive, and browsers send this one in upper case; write "PUT"`},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestAPolicyIsAppliedAndTakenBack(t *testing.T) {
	c := newChanging(t)
	var was, is state
	send(t, c.Console, "GET", "/policy/state", "", &was)
	if was.Text != policyText || was.Path != "cors.yaml" || was.Undo != 0 {
		t.Fatalf("at first %+v", was)
	}
	if status := send(t, c.Console, "GET", "/policy/state", "", nil, "If-None-Match", was.Tag); status != http.StatusNotModified {
		t.Errorf("asked again, status %d, want 304", status)
	}
	second := strings.Replace(policyText, "[PUT]", "[PUT, DELETE]", 1)
	if status := send(t, c.Console, "POST", "/policy/apply", second, &is, "If-Match", was.Tag); status != http.StatusOK || is.Text != second || is.Undo != 1 {
		t.Fatalf("applied: status %d, %+v", status, is)
	}
	if string(c.now.Text) != second {
		t.Fatalf("in force is %s", c.now.Text)
	}
	if status := send(t, c.Console, "POST", "/policy/undo", "", &is, "If-Match", is.Tag); status != http.StatusOK || is.Text != policyText || is.Undo != 0 || is.Tag != was.Tag {
		t.Fatalf("undone: status %d, %+v", status, is)
	}
	if status := send(t, c.Console, "POST", "/policy/undo", "", nil, "If-Match", is.Tag); status != http.StatusConflict {
		t.Errorf("with nothing to undo, status %d, want 409", status)
	}
}

func TestWhatSomebodyElseChangedIsNotUndone(t *testing.T) {
	c := newChanging(t)
	var is state
	send(t, c.Console, "GET", "/policy/state", "", &is)
	send(t, c.Console, "POST", "/policy/apply", policyText+"# mine\n", &is, "If-Match", is.Tag)
	if is.Undo != 1 {
		t.Fatalf("%+v", is)
	}
	c.now.Text = []byte(policyText + "# theirs\n")
	send(t, c.Console, "GET", "/policy/state", "", &is)
	if is.Undo != 0 {
		t.Errorf("%d changes can be undone, want none: the last was somebody else's", is.Undo)
	}
}

func TestWhatIsNotApplied(t *testing.T) {
	long := policyText + "#" + strings.Repeat("x", 10<<20)
	for _, tt := range []struct {
		name, text string
		tag        string // "" for the right one
		apply      error
		status     int
		told       string
	}{
		{"a policy with a mistake", "routes:\n  /: on\n", "", nil, 422, `"line":2`},
		{"a policy of 10 MB", long, "", nil, 413, "this is longer than a policy may be, which is 524288 bytes"},
		{"an edit of another text", policyText + "#", `"x"`, nil, 412, "changed"},
		{"a change that another forestalls", policyText + "#", "", ErrChanged, 412, "changed"},
		{"a file that cannot be written", policyText + "#", "", errors.New("open cors.yaml: read-only file system"), 422, "read-only file system"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newChanging(t)
			c.refuse = tt.apply
			tag := tt.tag
			if tag == "" {
				tag = tagOf([]byte(policyText))
			}
			w := httptest.NewRecorder()
			c.ServeHTTP(w, request(c.Console, "POST", "/policy/apply", tt.text, "If-Match", tag))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.told) {
				t.Errorf("status %d, %.300q; want %d and %q", w.Code, w.Body, tt.status, tt.told)
			}
			if string(c.now.Text) != policyText {
				t.Error("and yet the policy is another")
			}
		})
	}
}

func TestAPolicyToLookAtIsNotChanged(t *testing.T) {
	c := newConsole(t)
	for _, path := range []string{"/policy/apply", "/policy/undo"} {
		var got map[string]string
		if status := send(t, c, "POST", path, policyText, &got, "If-Match", tagOf([]byte(policyText))); status != http.StatusForbidden || got["code"] != "read-only" {
			t.Errorf("%s: status %d, %v", path, status, got)
		}
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/policy", ""))
	if body := w.Body.String(); !strings.Contains(body, "readonly") || strings.Contains(body, `id="apply"`) {
		t.Errorf("the page offers a change:\n%s", body)
	}
}

func TestAPolicyOfFlagsIsShownAsAFile(t *testing.T) {
	p := Policy{File: policyOfTest().File}
	c, err := New(Options{Address: "localhost:8081", Gateway: "http://localhost:8080", Policy: func() Policy { return p }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/policy/cors.yaml", ""))
	if diff := cmp.Diff("upstream: http://localhost:1\nroutes:\n  /api/:\n    origins: [https://app.example.com]\n    methods: [PUT]\n    credentials: true\n  /off/: off\n", w.Body.String()); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
}

// observe has c observe a request, decided by what is in force.
func (c *changing) observe(t *testing.T, method, path, origin string, fields ...string) {
	t.Helper()
	routes, err := cors.NewRoutes(c.now.File.Policies())
	if err != nil {
		t.Fatal(err)
	}
	routes.Observe(c.Observe)
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Origin", origin)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	routes.DecideHTTP(r)
}

func TestTheLastRequestsAreTriedOnAPolicy(t *testing.T) {
	const app = "https://app.example.com"
	const acrm, acrh = "Access-Control-Request-Method", "Access-Control-Request-Headers"
	c := newChanging(t)
	try := func(text string) replay {
		t.Helper()
		var got checked
		send(t, c.Console, "POST", "/policy/check", text, &got)
		if got.Replay == nil {
			t.Fatalf("%s\nis not tried: %v", text, got.Mistakes)
		}
		return *got.Replay
	}
	for range 3 {
		c.observe(t, "GET", "/api/users", app)
	}
	c.observe(t, "OPTIONS", "/api/users", app, acrm, "PUT")
	c.observe(t, "OPTIONS", "/api/users", app, acrm, "DELETE", acrh, "x-a")
	c.observe(t, "GET", "/off/", app)
	c.observe(t, "GET", "/api/"+strings.Repeat("x", 4<<10), app)
	c.observe(t, "GET", "/api/<b>\u202e", "https://evil.example")

	seen := func(kind, method, path string) question {
		return question{Kind: kind, Method: method, Host: "example.com", Path: path, Origin: app}
	}
	allowed := judgement{Verdict: "allowed", Reason: "none", Route: "/api/", Upstream: "http://localhost:1"}
	refused := func(reason, name, route string) judgement {
		return judgement{Verdict: "refused", Reason: reason, Name: name, Route: route, Upstream: "http://localhost:1"}
	}
	passed := judgement{Verdict: "passed", Reason: "none", Route: "/api/", Upstream: "http://localhost:1"}
	del := seen("preflight", "DELETE", "/api/users")
	del.RequestHeaders = "x-a"
	get, put := seen("actual", "GET", "/api/users"), seen("preflight", "PUT", "/api/users")
	elsewhere := allowed
	elsewhere.Upstream = "http://localhost:2"

	for _, tt := range []struct {
		name     string
		old, new string // what is replaced in the policy
		want     replay
	}{
		{"nothing changes", "", "", replay{Changes: []change{}}},
		{"a method goes", "[PUT]", "[]", replay{Refused: 1, Changes: []change{
			{put, "refused", 1, allowed, refused("method", "PUT", "/api/"), nil}}}},
		{"a method comes, but its header is still refused", "[PUT]", "[PUT, DELETE]", replay{Changes: []change{}}},
		{"a method comes with its header", "[PUT]", "[PUT, DELETE]\n    request-headers: X-A", replay{Allowed: 1, Changes: []change{
			{del, "allowed", 1, refused("method", "DELETE", "/api/"), allowed, nil}}}},
		{"the origin goes", "app.example", "web.example", replay{Refused: 4, Changes: []change{
			{get, "refused", 3, allowed, refused("origin", "", "/api/"), nil},
			{put, "refused", 1, allowed, refused("origin", "", "/api/"), nil}}}},
		{"a route goes", "/api/:", "/other/:", replay{Refused: 4, Changes: []change{
			{get, "refused", 3, allowed, refused("off", "", ""), nil},
			{put, "refused", 1, allowed, refused("off", "", ""), nil}}}},
		{"credentials go", "true", "false", replay{Other: 4, Changes: []change{
			{get, "answer", 3, allowed, allowed, []headerChange{{"Access-Control-Allow-Credentials", "true", ""}}},
			{put, "answer", 1, allowed, allowed, []headerChange{{"Access-Control-Allow-Credentials", "true", ""}}}}}},
		{"the status of preflights changes", "true", "true\n    preflight-status: 200", replay{Other: 1, Changes: []change{
			{put, "answer", 1, allowed, allowed, []headerChange{{"Status", "204", "200"}}}}}},
		{"the service is to speak itself", "true", "true\n    upstream-headers: keep", replay{Other: 3, Changes: []change{
			{get, "passed", 3, allowed, passed, nil}}}},
		{"it goes to another service", "true", "true\n    upstream: http://localhost:2", replay{Other: 4, Changes: []change{
			{get, "upstream", 3, allowed, elsewhere, nil},
			{put, "upstream", 1, allowed, elsewhere, nil}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := try(strings.Replace(policyText, tt.old, tt.new, 1))
			tt.want.Requests, tt.want.Left = 7, 1
			// What the strange origin and the refused ones get is told of too, where it is another service.
			got.Changes = keep(got.Changes, func(c change) bool {
				return c.Effect == "refused" || c.Effect == "allowed" || c.Before.Verdict == "allowed"
			}, &got.Other)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(change{})); diff != "" {
				t.Errorf("replay (-want +got):\n%s", diff)
			}
		})
	}
}

// keep drops the changes that are not kept, and does not count them.
func keep(changes []change, kept func(change) bool, count *int) []change {
	out := []change{}
	for _, c := range changes {
		if kept(c) {
			out = append(out, c)
		} else {
			*count -= c.Count
		}
	}
	return out
}

func TestAReplayIsBoundedAndEscapes(t *testing.T) {
	c := newChanging(t)
	for i := range 2 * replayed {
		c.observe(t, "GET", "/api/"+strings.Repeat("a", i%200), "https://app.example.com")
	}
	c.observe(t, "OPTIONS", "/api/", "https://app.example.com", "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "\x1b[31m\u202e")
	var got checked
	send(t, c.Console, "POST", "/policy/check", "routes:\n  /: off\n", &got)
	if r := got.Replay; r.Requests != replayed || len(r.Changes) != maxChanges || r.Unlisted != 101 {
		t.Errorf("%d requests, %d kinds listed and %d not; want %d, %d and 101: paths of 200 lengths, and a preflight", r.Requests, len(r.Changes), r.Unlisted, replayed, maxChanges)
	}
	send(t, c.Console, "POST", "/policy/check", strings.Replace(policyText, "[PUT]", "[PUT]\n    refused-status: 200", 1), &got)
	if text, err := json.Marshal(got.Replay); err != nil || strings.ContainsAny(string(text), "\x1b\u202e") {
		t.Errorf("what a client sent is told as %s, %v", text, err)
	}
	if len(got.Replay.Changes) == 0 {
		t.Error("no change is told of")
	}
}
