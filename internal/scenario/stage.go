package scenario

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The servers of the stage: {A}, {B} and {C} are origins of one site, {D} is
// one of another. The page is at {A}.
var servers = [...]struct{ letter, origin, host string }{
	{"A", "http://localhost:7101", "localhost:7101"},
	{"B", "http://localhost:7102", "localhost:7102"},
	{"C", "http://localhost:7103", "localhost:7103"},
	{"D", "http://127.0.0.1:7104", "127.0.0.1:7104"},
}

// A Stage holds the scripted servers of some scenarios.
type Stage struct {
	scenarios map[string]*Scenario
	listeners []net.Listener
	addresses map[string]string // of the servers, by the host that URLs name
	page      http.Handler      // answers at {A} what is no scenario's; may be nil

	mu   sync.Mutex
	seen map[string][]Request // by scenario
	wg   sync.WaitGroup
}

// NewStage starts the servers for scenarios, on ports of the system's choice;
// [Stage.Transport] finds them under the names that URLs have.
func NewStage(scenarios []Scenario) (*Stage, error) {
	return newStage(scenarios, nil, func(host string) []string { return []string{"127.0.0.1:0"} })
}

// NewOpenStage starts the servers on the ports that URLs name, for a real
// browser, whose page is served by page.
func NewOpenStage(scenarios []Scenario, page http.Handler) (*Stage, error) {
	return newStage(scenarios, page, func(host string) []string {
		if port, ok := strings.CutPrefix(host, "localhost"); ok {
			return []string{"127.0.0.1" + port, "[::1]" + port}
		}
		return []string{host}
	})
}

func newStage(scenarios []Scenario, page http.Handler, addresses func(host string) []string) (*Stage, error) {
	s := &Stage{scenarios: map[string]*Scenario{}, addresses: map[string]string{}, seen: map[string][]Request{}, page: page}
	for i := range scenarios {
		s.scenarios[scenarios[i].ID] = &scenarios[i]
	}
	for _, server := range servers {
		for i, address := range addresses(server.host) {
			l, err := net.Listen("tcp", address)
			if err != nil && i > 0 {
				continue // no IPv6 here: the first address serves
			}
			if err != nil {
				s.Close()
				return nil, fmt.Errorf("starting server {%s}: %w", server.letter, err)
			}
			s.listeners = append(s.listeners, l)
			s.addresses[server.host] = cmp.Or(s.addresses[server.host], l.Addr().String())
			s.wg.Go(func() { s.accept(l, server.letter) })
		}
	}
	return s, nil
}

// Close stops the servers.
func (s *Stage) Close() {
	for _, l := range s.listeners {
		l.Close()
	}
	s.wg.Wait()
}

// Transport returns a transport that reaches the servers, and no others.
func (s *Stage) Transport() *http.Transport {
	return &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			real, ok := s.addresses[address]
			if !ok {
				return nil, fmt.Errorf("dialling %q: there is no such server on the stage", address)
			}
			var d net.Dialer
			return d.DialContext(ctx, network, real)
		},
	}
}

// Requests returns what reached the servers for the scenario called id.
func (s *Stage) Requests(id string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.seen[id]...)
}

func (s *Stage) accept(l net.Listener, letter string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() {
			defer c.Close()
			c.SetDeadline(time.Now().Add(30 * time.Second))
			s.serve(c, letter)
		})
	}
}

// serve answers one request, byte for byte as it is scripted: net/http would
// write it in its own way.
func (s *Stage) serve(c net.Conn, letter string) {
	r := bufio.NewReader(c)
	line, err := readLine(r)
	if err != nil {
		return
	}
	method, target, _ := strings.Cut(line, " ")
	target, _, _ = strings.Cut(target, " ")
	var fields [][2]string
	length := 0
	for {
		line, err := readLine(r)
		if err != nil {
			return
		}
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		fields = append(fields, [2]string{name, value})
		if name == "content-length" {
			length, _ = strconv.Atoi(value)
		}
	}
	body := make([]byte, min(length, 1<<20))
	if _, err := io.ReadFull(r, body); err != nil {
		return
	}
	io.WriteString(c, s.answer(letter, method, target, fields, string(body)))
}

func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

var scenarioPath = regexp.MustCompile(`^/s/([\w-]+)/(\d)`)

func (s *Stage) answer(letter, method, target string, fields [][2]string, body string) string {
	m := scenarioPath.FindStringSubmatch(target)
	if m == nil {
		if letter == "A" && s.page != nil {
			return s.answerPage(method, target, body)
		}
		return format(method, Answer{Status: 404})
	}
	id, hop := m[1], int(m[2][0]-'0')
	sc := s.scenarios[id]
	if sc == nil || hop >= len(sc.Hops) {
		return format(method, Answer{Status: 404})
	}
	s.record(sc, Request{At: "{" + letter + "}/" + m[2], Method: method, Headers: fields, Body: body})
	answer := sc.Hops[hop].Actual
	if method == "OPTIONS" && slices.ContainsFunc(fields, func(f [2]string) bool { return f[0] == "access-control-request-method" }) {
		answer = sc.Hops[hop].Preflight
	}
	answer.Headers = slices.Clone(answer.Headers)
	for i := range answer.Headers {
		answer.Headers[i][1] = latin1(expand(answer.Headers[i][1], id))
	}
	return format(method, answer)
}

// noise is what each browser has its own way with, or that says nothing of CORS.
var noise = regexp.MustCompile(`^(host|connection|user-agent|accept-encoding|sec-ch-ua.*|sec-gpc|upgrade-insecure-requests|priority|dnt)$`)

func (s *Stage) record(sc *Scenario, r Request) {
	authored := slices.ContainsFunc(sc.Fetches, func(f Fetch) bool {
		return slices.ContainsFunc(f.Headers, func(h [2]string) bool { return strings.EqualFold(h[0], "Accept-Language") })
	})
	kept := [][2]string{}
	for _, f := range r.Headers {
		if noise.MatchString(f[0]) || f[0] == "accept-language" && !authored {
			continue
		}
		f[1] = isomorphicDecode(f[1])
		if f[0] == "cookie" {
			f[1] = strconv.FormatBool(sidCookie.MatchString(f[1]))
		} else {
			f[1] = strings.ReplaceAll(symbols(f[1]), "/s/"+sc.ID, "")
		}
		kept = append(kept, f)
	}
	slices.SortStableFunc(kept, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	r.Headers = kept
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[sc.ID] = append(s.seen[sc.ID], r)
}

var sidCookie = regexp.MustCompile(`\bsid=1\b`)

// format writes a response. One without a body has no Content-Length either.
func format(method string, a Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d X\r\n", a.Status)
	for _, h := range a.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("Connection: close\r\n")
	noBody := a.Status == 204 || a.Status == 304
	if !noBody {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.Body))
	}
	b.WriteString("\r\n")
	if !noBody && method != "HEAD" {
		b.WriteString(a.Body)
	}
	return b.String()
}

var hopURL = regexp.MustCompile(`\{([ABCD])\}/(\d)`)

// expand puts the names of servers and paths into v.
func expand(v, id string) string {
	v = hopURL.ReplaceAllString(v, "{$1}/s/"+id+"/$2")
	for _, server := range servers {
		v = strings.ReplaceAll(v, "{"+server.letter+"}", server.origin)
	}
	return strings.ReplaceAll(v, "/s/@/", "/s/"+id+"/")
}

// symbols is the way back.
func symbols(v string) string {
	for _, server := range servers {
		v = strings.ReplaceAll(v, server.origin, "{"+server.letter+"}")
	}
	return v
}

// latin1 makes one byte of each code point, as the wire has it.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// isomorphicDecode makes one code point of each byte, as JavaScript has it.
func isomorphicDecode(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}
