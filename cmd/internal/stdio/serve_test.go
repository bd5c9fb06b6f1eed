package stdio_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossorigin/cors/cmd/internal/stdio"
	"github.com/crossorigin/cors/fetch"
	"github.com/google/go-cmp/cmp"
)

// engine is a running Serve, with pipes to it.
type engine struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	outR *io.PipeReader
	done chan error
}

// start starts an engine whose fetches h answers, or the network if h is nil.
func start(t *testing.T, h http.Handler) *engine {
	t.Helper()
	open := func() *fetch.Browser {
		b := &fetch.Browser{Cookies: &fetch.CookieJar{}}
		if h != nil {
			b.Transport = serve{h}
		}
		return b
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	e := &engine{t, inW, bufio.NewReader(outR), outR, make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		e.done <- stdio.Serve(ctx, inR, outW, open, time.Minute)
		outW.Close()
	}()
	t.Cleanup(func() {
		cancel()
		inW.Close()
		outR.Close()
	})
	return e
}

// serve is a transport in which h answers for every host.
type serve struct{ h http.Handler }

func (s serve) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	s.h.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (e *engine) write(lines ...string) {
	e.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(e.in, line+"\n"); err != nil {
			e.t.Fatal(err)
		}
	}
}

func (e *engine) read() map[string]any {
	e.t.Helper()
	line, err := e.out.ReadBytes('\n')
	if err != nil {
		e.t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(line, &answer); err != nil {
		e.t.Fatalf("answer %q: %v", line, err)
	}
	return answer
}

// ask writes a line and reads its answer.
func (e *engine) ask(line string) map[string]any {
	e.t.Helper()
	e.write(line)
	return e.read()
}

// fetching is the line by which a page fetches.
func fetching(id int, session, request string) string {
	return fmt.Sprintf(`{"id":%d,"session":%q,"client":{"origin":"https://app.example.com","url":"https://app.example.com/page","secureContext":true},"request":%s}`, id, session, request)
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Set("Access-Control-Allow-Methods", "*, PUT")
	h.Set("Access-Control-Allow-Headers", "x-a, content-type")
	h.Set("Access-Control-Expose-Headers", "X-B")
	h.Add("X-B", "caf\xe9")
	h.Add("X-B", "2")
	h.Set("X-Hidden", "1")
	h.Set("Content-Type", "text/plain")
	if r.URL.Path == "/empty" {
		w.WriteHeader(204)
		return
	}
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s %q", r.Method, r.Header.Get("X-A"), r.Header.Get("Referer"), body)
}

func body(t *testing.T, answer map[string]any) string {
	t.Helper()
	response, ok := answer["response"].(map[string]any)
	if !ok {
		t.Fatalf("answer = %v, want a response", answer)
	}
	encoded, _ := response["body"].(string)
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

func TestAFetchIsAnswered(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	tests := []struct{ row, line, want string }{
		{"what the page may see", fetching(1, "a", `{"url":"https://api.example.com/x#f","method":"GET","headers":[["X-A","\u00ff"],["Host","no"]],"mode":"cors","credentials":"include","redirect":"follow","cache":"default","referrer":"about:client","referrerPolicy":"","body":null,"bodySource":null,"unsafeRequest":true,"initiator":"fetch"}`),
			`{"id":1,"response":{"type":"cors","url":"https://api.example.com/x","redirected":false,"status":200,"statusText":"OK","headers":[["Content-Type","text/plain"],["X-B","café"],["X-B","2"]],"body":"R0VUIP8gaHR0cHM6Ly9hcHAuZXhhbXBsZS5jb20vICIi"}}`},
		{"an opaque response", fetching(2, "a", `{"url":"https://api.example.com/x","mode":"no-cors"}`),
			`{"id":2,"response":{"type":"opaque","url":"","redirected":false,"status":0,"statusText":"","headers":[],"body":null}}`},
		{"a response without a body", fetching(3, "a", `{"url":"https://api.example.com/empty"}`),
			`{"id":3,"response":{"type":"cors","url":"https://api.example.com/empty","redirected":false,"status":204,"statusText":"No Content","headers":[["Content-Type","text/plain"],["X-B","café"],["X-B","2"]],"body":null}}`},
		{"a method that * allows", fetching(4, "a", `{"url":"https://api.example.com/x","method":"PATCH","credentials":"omit"}`),
			`{"id":4,"response":{"type":"cors","url":"https://api.example.com/x","redirected":false,"status":200,"statusText":"OK","headers":[["Content-Type","text/plain"],["X-B","café"],["X-B","2"]],"body":"UEFUQ0ggIGh0dHBzOi8vYXBwLmV4YW1wbGUuY29tLyAiIg=="}}`},
		{"a network error", fetching(5, "a", `{"url":"http://api.example.com/x"}`),
			`{"id":5,"error":{"kind":"network","reason":"fetch \"http://api.example.com/x\": insecure URL in a page over HTTPS (https://fetch.spec.whatwg.org/#concept-main-fetch step 7)"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var want map[string]any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, e.ask(tt.line)); diff != "" {
				t.Errorf("%s\nanswer (-want +got):\n%s", tt.line, diff)
			}
		})
	}
}

func TestRequestFieldsReachTheServer(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	tests := []struct{ row, request, want string }{
		{"a body", `{"url":"https://api.example.com/","method":"POST","body":"aGk=","bodySource":"bytes"}`, `POST  https://app.example.com/ "hi"`},
		{"an empty body", `{"url":"https://api.example.com/","method":"POST","body":"","bodySource":"bytes"}`, `POST  https://app.example.com/ ""`},
		{"a stream", `{"url":"https://api.example.com/","method":"POST","body":"aGk=","bodySource":"stream"}`, `POST  https://app.example.com/ "hi"`},
		{"no referrer", `{"url":"https://api.example.com/","referrer":""}`, `GET   ""`},
		{"a referrer", `{"url":"https://app.example.com/","referrer":"https://app.example.com/other"}`, `GET  https://app.example.com/other ""`},
		{"a referrer policy", `{"url":"https://api.example.com/","referrerPolicy":"unsafe-url"}`, `GET  https://app.example.com/page ""`},
		{"user and password", `{"url":"https://u:p@api.example.com/","useURLCredentials":true}`, `GET  https://app.example.com/ ""`},
		{"integrity", `{"url":"https://app.example.com/","integrity":"sha256-zzJ6M0VqXHtMFbEpFXbA4mqJh9Y8hXwGLnNGx8aHIo4="}`, ``},
	}
	for i, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			answer := e.ask(fetching(i, "a", tt.request))
			if tt.want == "" {
				if answer["error"] == nil {
					t.Errorf("%s: answer %v, want an error", tt.request, answer)
				}
				return
			}
			if got := body(t, answer); got != tt.want {
				t.Errorf("%s: server saw %q, want %q", tt.request, got, tt.want)
			}
		})
	}
}

func TestALineThatIsWrongIsAnsweredWithWhatIsWrong(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	tests := []struct{ row, line, id, reason string }{
		{"not JSON", `hello`, "<nil>", "line 1: invalid character 'h'"},
		{"half an object", `{"id":2,`, "<nil>", "has no end"},
		{"two objects", `{"id":3,"session":"a","op":"end-session"}{}`, "3", "something behind the object"},
		{"no id", `{"session":"a"}`, "<nil>", "id: a number is missing"},
		{"no session", `{"id":5}`, "5", "session is missing"},
		{"nothing to do", `{"id":6,"session":"a"}`, "6", "request is missing"},
		{"no client", `{"id":7,"session":"a","request":{"url":"https://a.example/"}}`, "7", "client is missing"},
		{"no URL", fetching(8, "a", `{}`), "8", "request.url is missing"},
		{"a field of another type", fetching(9, "a", `{"url":7}`), "9", "request.url: number is not what belongs there"},
		{"a body that is not base64", fetching(10, "a", `{"url":"https://a.example/","method":"POST","body":"!"}`), "10", "request.body: illegal base64"},
		{"a header that is not bytes", fetching(11, "a", `{"url":"https://a.example/","headers":[["x","\u0100"]]}`), "11", `request.headers[0][1]: "Ā"`},
		{"a mode that no page has", fetching(12, "a", `{"url":"https://a.example/","mode":"navigate"}`), "12", `Mode: "navigate"`},
		{"an op that there is not", `{"id":13,"session":"a","op":"dance"}`, "13", `there is no op "dance"`},
		{"a guard that there is not", `{"id":14,"session":"a","op":"headers","guard":"none","do":"fill"}`, "14", `guard: "none"`},
		{"an origin that is none", `{"id":15,"session":"a","client":{"origin":"https://a.example/x"},"request":{"url":"https://a.example/"}}`, "15", `client.origin: "https://a.example/x"`},
		{"a URL that does not parse", fetching(16, "a", `{"url":"https://a b/"}`), "16", `URL: "https://a b/"`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			answer := e.ask(tt.line)
			failure, _ := answer["error"].(map[string]any)
			if reason := fmt.Sprint(failure["reason"]); fmt.Sprint(answer["id"]) != tt.id || !strings.Contains(reason, tt.reason) {
				t.Errorf("%s: answer %v, want id %s and %q", tt.line, answer, tt.id, tt.reason)
			}
		})
	}
}

func TestFetchesRunAtTheSameTime(t *testing.T) {
	release := make(chan struct{})
	e := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		echo(w, r)
	}))
	e.write(fetching(1, "a", `{"url":"https://app.example.com/slow"}`))
	if answer := e.ask(fetching(2, "a", `{"url":"https://app.example.com/"}`)); answer["id"] != 2.0 {
		t.Errorf("answer = %v, want that of 2 while 1 is open", answer)
	}
	close(release)
	if answer := e.read(); answer["id"] != 1.0 {
		t.Errorf("answer = %v, want that of 1", answer)
	}
}

func TestFetchesOfAPageBeginInTheirOrder(t *testing.T) {
	release := make(chan struct{})
	e := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-release
		echo(w, r)
	}))
	// A page's keepalive bodies have 64 KiB together: the last one has no room.
	whole := base64.StdEncoding.EncodeToString(make([]byte, 64<<10))
	e.write(fetching(1, "a", `{"url":"https://app.example.com/","method":"POST","keepalive":true,"body":"`+whole+`"}`))
	answer := e.ask(fetching(2, "a", `{"url":"https://app.example.com/","method":"POST","keepalive":true,"body":"aA=="}`))
	if answer["id"] != 2.0 || answer["error"] == nil {
		t.Errorf("answer = %v, want an error for 2", answer)
	}
	close(release)
	if answer := e.read(); answer["response"] == nil {
		t.Errorf("answer = %v, want a response to 1", answer)
	}
}

func TestAbortEndsAFetch(t *testing.T) {
	arrived := make(chan struct{}, 1)
	e := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	e.write(fetching(1, "a", `{"url":"https://app.example.com/"}`))
	<-arrived
	answer := e.ask(`{"id":1,"abort":true}`)
	if failure, _ := answer["error"].(map[string]any); failure["kind"] != "aborted" {
		t.Errorf("answer = %v, want an error of kind aborted", answer)
	}
}

func TestASessionIsABrowserOfItsOwn(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	const read = `{"id":1,"session":%q,"client":{"origin":"https://app.example.com"},"op":"cookie-get","url":"https://app.example.com/"}`
	cookieOf := func(session string) any { return e.ask(fmt.Sprintf(read, session))["cookie"] }
	if answer := e.ask(`{"id":1,"session":"a","op":"cookie-set","url":"https://app.example.com/","cookie":"n=é; path=/"}`); answer["ok"] != true {
		t.Errorf("cookie-set: answer %v, want ok", answer)
	}
	if got := cookieOf("a"); got != "n=é" {
		t.Errorf("cookie of the session that set it = %q, want %q", got, "n=é")
	}
	if got := cookieOf("b"); got != "" {
		t.Errorf("cookie of another session = %q, want none", got)
	}
	e.write(`{"id":2,"session":"a","op":"end-session"}`)
	if got := cookieOf("a"); got != "" {
		t.Errorf("cookie after end-session = %q, want none", got)
	}
}

func TestHeadersAreGuarded(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	tests := []struct{ row, arguments, want string }{
		{"fill drops what is forbidden", `"guard":"request","do":"fill","headers":[["X","1"],["Cookie","a"],["X-Method-Override","TRACE"]]`, `[["X","1"]]`},
		{"append adds a line", `"guard":"request","do":"append","headers":[["X","1"]],"name":"x","value":"2"`, `[["X","1"],["X","2"]]`},
		{"set replaces all lines", `"guard":"request","do":"set","headers":[["X","1"],["X","2"]],"name":"X","value":"3"`, `[["X","3"]]`},
		{"delete removes all lines", `"guard":"request","do":"delete","headers":[["X","1"],["y","2"],["x","3"]],"name":"X"`, `[["y","2"]]`},
		{"no-cors takes what is safelisted", `"guard":"request-no-cors","do":"fill","headers":[["X","1"],["Accept","a"]]`, `[["Accept","a"]]`},
		{"no-cors judges the joined value", `"guard":"request-no-cors","do":"append","headers":[["Content-Type","text/plain"]],"name":"content-type","value":"text/plain"`, `[["Content-Type","text/plain"]]`},
		{"a change takes Range away", `"guard":"request-no-cors","do":"append","headers":[["Range","bytes=0-1"]],"name":"Accept","value":"a"`, `[["Accept","a"]]`},
	}
	for i, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			answer := e.ask(fmt.Sprintf(`{"id":%d,"session":"a","client":{"origin":"https://app.example.com"},"op":"headers",%s}`, i, tt.arguments))
			got, err := json.Marshal(answer["headers"])
			if err != nil || string(got) != tt.want {
				t.Errorf("%s: headers %s, %v, want %s", tt.arguments, got, answer, tt.want)
			}
		})
	}
}

func TestWhatIsOpenIsAnsweredAfterTheInputEnds(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	e := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		echo(w, r)
	}))
	e.write(fetching(1, "a", `{"url":"https://app.example.com/"}`))
	<-arrived
	e.in.Close()
	close(release)
	if answer := e.read(); answer["id"] != 1.0 || answer["response"] == nil {
		t.Errorf("answer = %v, want a response to 1", answer)
	}
	if err := <-e.done; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestATransferThatBreaksHasABodyError(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	e := start(t, nil)
	answer := e.ask(fmt.Sprintf(`{"id":1,"session":"a","client":{"origin":%q},"request":{"url":"%s/"}}`, server.URL, server.URL))
	response, _ := answer["response"].(map[string]any)
	if got := body(t, answer); got != "half" || response["bodyError"] != true {
		t.Errorf("answer = %v, want the body %q and bodyError", answer, "half")
	}
}

func TestManyQuestionsMayBeAskedBeforeAnAnswerIsRead(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	const n = 1000
	for i := range n {
		e.write(fmt.Sprintf(`{"id":%d,"session":"a","op":"cookie-get","url":"https://app.example.com/"}`, i))
		e.write(fetching(n+i, "a", `{"url":"https://app.example.com/"}`))
	}
	answered := map[any]bool{}
	for range 2 * n {
		answered[e.read()["id"]] = true
	}
	if len(answered) != 2*n {
		t.Errorf("%d questions were answered, want %d", len(answered), 2*n)
	}
}

func TestServeEndsWhereNobodyReads(t *testing.T) {
	e := start(t, http.HandlerFunc(echo))
	e.outR.Close()
	e.write(fetching(1, "a", `{"url":"https://app.example.com/"}`))
	if err := <-e.done; err == nil || !strings.Contains(err.Error(), "writing an answer") {
		t.Errorf("Serve = %v, want an error of writing an answer", err)
	}
}
