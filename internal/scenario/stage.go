package scenario

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

// A Stage is the four servers on which scenarios are played. They write bytes,
// not headers: net/http would put right what some scenarios have wrong.
type Stage struct {
	// Other answers on {A} what is not of a scenario, such as the page itself;
	// nil means 404.
	Other func(method, target string, body []byte) Answer

	// Origins are those of the servers.
	Origins Origins

	// MaxBody is how many bytes a request's body may have.
	MaxBody int

	mu        sync.Mutex
	scenarios map[string]*Scenario
	seen      map[string][]Request
}

// NewStage returns a stage for scenarios, at the origins of recordings.
func NewStage(scenarios []Scenario) *Stage {
	s := &Stage{Origins: Recorded, MaxBody: 64 << 20, scenarios: make(map[string]*Scenario, len(scenarios)), seen: map[string][]Request{}}
	for i := range scenarios {
		s.scenarios[scenarios[i].ID] = &scenarios[i]
	}
	return s
}

// Put adds a scenario to those that are played, or replaces it.
func (s *Stage) Put(scenario *Scenario) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scenarios[scenario.ID] = scenario
	delete(s.seen, scenario.ID)
}

// Remove forgets scenario id, and what reached the servers in it.
func (s *Stage) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.scenarios, id)
	delete(s.seen, id)
}

// Requests returns what reached the servers in scenario id, in order.
func (s *Stage) Requests(id string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.seen[id]...)
}

// Listen opens the stage on the ports of recordings, until ctx is done. There is one stage on
// a machine: while another process has the ports, Listen waits.
func (s *Stage) Listen(ctx context.Context) error {
	var opened []net.Listener
	shut := func() {
		for _, l := range opened {
			l.Close()
		}
	}
	for _, letter := range []string{"A", "B", "C", "D"} {
		host, port, _ := net.SplitHostPort(strings.TrimPrefix(Recorded[letter], "http://"))
		l, err := listen(ctx, net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			shut()
			return fmt.Errorf("the stage needs ports 7101 to 7104: %w", err)
		}
		opened = append(opened, l)
		go s.Serve(l, letter)
		if host != "localhost" {
			continue
		}
		if l, err := net.Listen("tcp", net.JoinHostPort("::1", port)); err == nil { // else a machine without IPv6
			opened = append(opened, l)
			go s.Serve(l, letter)
		}
	}
	context.AfterFunc(ctx, shut)
	return nil
}

// listen tries until the port is free.
func listen(ctx context.Context, address string) (net.Listener, error) {
	for {
		l, err := net.Listen("tcp", address)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// Serve is the server called letter, until l is closed.
func (s *Stage) Serve(l net.Listener, letter string) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go s.serve(conn, letter)
	}
}

// Dial connects to the stage without a port: a connection to localhost:7101 and
// so on is a pipe. So any number of stages can be open.
func (s *Stage) Dial(_ context.Context, _, address string) (net.Conn, error) {
	host, port, _ := net.SplitHostPort(address)
	letter, ok := s.Origins.at(port)
	if !ok || host != "localhost" && !strings.HasSuffix(host, ".localhost") && host != "127.0.0.1" && host != "::1" {
		return nil, fmt.Errorf("nothing listens at %s", address)
	}
	client, server := net.Pipe()
	go s.serve(server, letter)
	return client, nil
}

// at returns the letter of the server at port.
func (o Origins) at(port string) (string, bool) {
	for letter, origin := range o {
		if strings.HasSuffix(origin, ":"+port) {
			return letter, true
		}
	}
	return "", false
}

// serve answers one request.
func (s *Stage) serve(conn net.Conn, letter string) {
	defer conn.Close()
	r, err := readRequest(bufio.NewReader(conn), s.MaxBody)
	if err != nil {
		return
	}
	conn.Write(r.respond(s.answer(letter, r)))
}

type wireRequest struct {
	method, target string
	headers        []Field // names in lower case
	body           []byte
}

func readRequest(r *bufio.Reader, maxBody int) (*wireRequest, error) {
	var lines []string
	for size := 0; ; {
		line, err := r.ReadSlice('\n')
		if size += len(line); err != nil || size > 1<<20 {
			return nil, errors.New("no request")
		}
		text := latin1(strings.TrimRight(string(line), "\r\n"))
		if text == "" {
			break
		}
		lines = append(lines, text)
	}
	if len(lines) == 0 {
		return nil, errors.New("no request")
	}
	var req wireRequest
	req.method, req.target, _ = strings.Cut(lines[0], " ")
	req.target, _, _ = strings.Cut(req.target, " ")
	length := 0
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		field := Field{strings.ToLower(name), strings.TrimFunc(value, isScriptSpace)}
		req.headers = append(req.headers, field)
		switch field[0] {
		case "content-length":
			length, _ = strconv.Atoi(field[1])
		case "expect":
			return nil, errors.New("nobody asks for permission here")
		}
	}
	if length < 0 || length > maxBody {
		return nil, errors.New("body too long")
	}
	req.body = make([]byte, length)
	_, err := io.ReadFull(r, req.body)
	return &req, err
}

// isScriptSpace is what trim() removes in JavaScript.
func isScriptSpace(r rune) bool {
	return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r)
}

var scenarioPath = regexp.MustCompile(`^/s/([\w-]+)/(\d)`)

func (s *Stage) answer(letter string, r *wireRequest) Answer {
	match := scenarioPath.FindStringSubmatch(r.target)
	if match == nil {
		if letter != "A" || s.Other == nil {
			return Answer{Status: 404}
		}
		return s.Other(r.method, r.target, r.body)
	}
	id, hop := match[1], int(match[2][0]-'0')
	s.mu.Lock()
	scenario := s.scenarios[id]
	if scenario == nil || hop >= len(scenario.Hops) {
		s.mu.Unlock()
		return Answer{Status: 404}
	}
	seen := Request{At: "{" + letter + "}/" + match[2], Method: r.method, Headers: s.notable(scenario, r.headers), Body: string(r.body)}
	s.seen[id] = append(s.seen[id], seen)
	s.mu.Unlock()

	a := scenario.Hops[hop].Actual
	if r.method == "OPTIONS" && slices.ContainsFunc(r.headers, named("access-control-request-method")) {
		a = scenario.Hops[hop].Preflight
	}
	headers := make([]Field, len(a.Headers))
	for i, f := range a.Headers {
		headers[i] = Field{f[0], s.Origins.expand(f[1], id)}
	}
	a.Headers = headers
	return a
}

func named(name string) func(Field) bool {
	return func(f Field) bool { return f[0] == name }
}

var (
	noise = regexp.MustCompile(`^(host|connection|user-agent|accept-encoding|sec-ch-ua.*|sec-gpc|upgrade-insecure-requests|priority|dnt)$`)
	sid   = regexp.MustCompile(`\bsid=1\b`)
)

// notable is what of headers is recorded: not what a browser says of itself.
func (s *Stage) notable(of *Scenario, headers []Field) []Field {
	shown := []Field{}
	for _, f := range headers {
		switch {
		case noise.MatchString(f[0]), f[0] == "accept-language" && !of.setsLanguage():
			continue
		case f[0] == "cookie":
			f[1] = strconv.FormatBool(sid.MatchString(f[1]))
		default:
			f[1] = s.Origins.contract(f[1], of.ID)
		}
		shown = append(shown, f)
	}
	slices.SortStableFunc(shown, func(a, b Field) int { return strings.Compare(a[0], b[0]) })
	return shown
}

func (s *Scenario) setsLanguage() bool {
	return slices.ContainsFunc(s.Fetches, func(f Fetch) bool {
		return slices.ContainsFunc(f.Headers, func(f Field) bool { return strings.EqualFold(f[0], "accept-language") })
	})
}

// respond writes a as it is: each header a line, a code point a byte.
func (r *wireRequest) respond(a Answer) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d X\r\n", a.Status)
	for _, f := range a.Headers {
		b.WriteString(f[0] + ": " + f[1] + "\r\n")
	}
	b.WriteString("Connection: close\r\n")
	noBody := a.Status == 204 || a.Status == 304
	if !noBody {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.Body))
	}
	b.WriteString("\r\n")
	out := fromLatin1(b.String())
	if !noBody && r.method != "HEAD" {
		out = append(out, a.Body...)
	}
	return out
}

// latin1 returns the string with a code point for each byte of bytes.
func latin1(bytes string) string {
	runes := make([]rune, len(bytes))
	for i := range len(bytes) {
		runes[i] = rune(bytes[i])
	}
	return string(runes)
}

// fromLatin1 returns a byte for each code point of s.
func fromLatin1(s string) []byte {
	bytes := make([]byte, 0, len(s))
	for _, r := range s {
		bytes = append(bytes, byte(r))
	}
	return bytes
}
