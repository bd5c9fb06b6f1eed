package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/gateway"
	"github.com/crossorigin/cors/cmd/internal/service"
)

const plain = "OPTIONS /users HTTP/1.1\r\nHost: a.example\r\nOrigin: " + app + "\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: authorization\r\n"

// A talk is what one connection sends, a piece at a time, each after so many
// answers.
type talk []piece

type piece struct {
	after int // answers
	text  string
}

// hold returns the answers to a talk: of each the status, the headers, and the
// body, and at the end what became of the connection.
func hold(t testing.TB, to string, pieces talk, answers int) []string {
	t.Helper()
	c, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	var got []string
	send := func() {
		for len(pieces) > 0 && pieces[0].after <= len(got) {
			io.WriteString(c, pieces[0].text)
			pieces = pieces[1:]
			time.Sleep(2 * time.Millisecond) // so that a piece is a packet
		}
	}
	send()
	for range answers {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return append(got, ended(err))
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return append(got, ended(err))
		}
		res.Header.Del("Date")
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(res.Header)) {
			lines = append(lines, fmt.Sprint(name, ": ", res.Header[name]))
		}
		got = append(got, fmt.Sprint(res.Proto, " ", res.Status, " ", res.ContentLength, " ", lines, " ", string(body)))
		send()
	}
	return got
}

// ended says how a connection ended, but for what differs each time.
func ended(err error) string {
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		return "nothing more"
	}
	return "the end"
}

// lanes starts a gateway with the lane, and one without.
func lanes(t testing.TB, o func() gateway.Options) (with, without string) {
	t.Helper()
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %q", r.Method, r.RequestURI, body)
	}))
	refused := policy
	refused.RefusedStatus, refused.PreflightStatus = 200, 200
	c := gateway.Config{Routes: map[string]gateway.Route{
		"/":              {Policy: policy, Upstream: upstream},
		"/200/":          {Policy: refused, Upstream: upstream},
		"/any/":          {Policy: cors.Policy{Origins: []string{"*"}, Methods: []string{"*"}, RequestHeaders: []string{"*"}, PrivateNetwork: true}, Upstream: upstream},
		"/shadow/":       {Policy: policy, Upstream: upstream, Shadow: true},
		"host.example/":  {Upstream: upstream},
		"/none/{id}/end": {},
	}}
	fast, _ := start(t, &gateway.Server{Handler: newGateway(t, c, o())})
	slow := newGateway(t, c, o())
	other, _ := start(t, &gateway.Server{Handler: http.HandlerFunc(slow.ServeHTTP)})
	return fast.Host, other.Host
}

// TestTheLaneChangesNothing has the same said to a gateway with the lane and to
// one without.
func TestTheLaneChangesNothing(t *testing.T) {
	with, without := lanes(t, func() gateway.Options { return gateway.Options{StallTimeout: 200 * time.Millisecond} })
	const get = "GET /users HTTP/1.1\r\nHost: a.example\r\nOrigin: " + app + "\r\n\r\n"
	const post = "POST /users HTTP/1.1\r\nHost: a.example\r\nOrigin: " + app + "\r\nContent-Length: 4\r\n\r\n"
	one := func(text string) talk { return talk{{0, text}} }
	change := func(old, new string) talk { return one(strings.Replace(plain, old, new, 1) + "\r\n") }
	tests := []struct {
		row     string
		talk    talk
		answers int
	}{
		{"a preflight", one(plain + "\r\n"), 1},
		{"two, one after the other", talk{{0, plain + "\r\n"}, {1, plain + "\r\n"}}, 2},
		{"two in one packet", one(plain + "\r\n" + plain + "\r\n"), 2},
		{"three in one packet and one later", talk{{0, plain + "\r\n" + plain + "\r\n" + plain + "\r\n"}, {3, plain + "\r\n"}}, 4},
		{"in two packets", talk{{0, plain[:30]}, {0, plain[30:] + "\r\n"}}, 1},
		{"in two packets, the second at the beginning of a line", talk{{0, plain}, {0, "\r\n"}}, 1},
		{"then a GET", talk{{0, plain + "\r\n"}, {1, get}}, 2},
		{"with a GET behind it", one(plain + "\r\n" + get), 2},
		{"behind a GET", one(get + plain + "\r\n"), 2},
		{"behind half a GET", talk{{0, get[:20]}, {0, get[20:] + plain + "\r\n"}}, 2},
		{"after a GET", talk{{0, get}, {1, plain + "\r\n"}}, 2},
		{"after a GET and a byte too early", talk{{0, get + "O"}, {1, plain[1:] + "\r\n"}}, 2},
		{"between GETs", talk{{0, get}, {1, plain + "\r\n"}, {2, get}, {3, plain + "\r\n"}, {4, plain + "\r\n"}, {5, get}}, 6},
		{"a body that looks like one", talk{{0, strings.Replace(post, "4", fmt.Sprint(len(plain)+2), 1)}, {0, plain + "\r\n"}}, 1},
		{"after such a body", talk{{0, strings.Replace(post, "4", fmt.Sprint(len(plain)+2), 1)}, {0, plain + "\r\n"}, {1, plain + "\r\n"}}, 2},
		{"a head that goes on with one", talk{{0, "GET / HTTP/1.1\r\nHost: a.example\r\n"}, {0, plain + "\r\n"}}, 1},
		{"such a head after a request", talk{{0, get + "GET / HTTP/1.1\r\nHost: a.example\r\n"}, {1, plain + "\r\n"}}, 2},
		{"after a POST", talk{{0, post + "body"}, {1, plain + "\r\n"}}, 2},
		{"an empty line after a POST", talk{{0, post + "body\r\n"}, {1, plain + "\r\n"}}, 2},
		{"in the middle of a POST", talk{{0, post}, {0, "body" + plain + "\r\n"}}, 2},
		{"after chunks", talk{{0, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"another origin", change(app, evil), 1},
		{"another method", change(": PUT", ": DELETE"), 1},
		{"a simple method", change(": PUT", ": GET"), 1},
		{"no method", change("Access-Control-Request-Method: PUT\r\n", ""), 1},
		{"an empty method", change(": PUT", ":"), 1},
		{"another name", change(": authorization", ": x-evil"), 1},
		{"no names", change("Access-Control-Request-Headers: authorization\r\n", ""), 1},
		{"empty names", change(": authorization", ": ,, authorization,"), 1},
		{"names on two lines", one(plain + "Access-Control-Request-Headers: authorization\r\n\r\n"), 1},
		{"names in any case", change("Access-Control-Request-Headers: authorization", "ACCESS-CONTROL-REQUEST-HEADERS:Authorization"), 1},
		{"two origins", one(plain + "Origin: " + app + "\r\n\r\n"), 1},
		{"no origin", change("Origin: "+app+"\r\n", ""), 1},
		{"an empty origin", change(app, ""), 1},
		{"space around values", change(": PUT", ": \t PUT \t "), 1},
		{"a private network", change("/users", "/any/x?a=/b%20c?d") /* and */, 1},
		{"a private network, asked for", talk{{0, strings.Replace(plain, "/users", "/any/", 1) + "Access-Control-Request-Private-Network: true\r\n\r\n"}}, 1},
		{"any method and name", one(strings.NewReplacer("/users", "/any/", "PUT", "CHICKEN", ": authorization", ": x-1,x-2").Replace(plain) + "\r\n"), 1},
		{"other statuses", change("/users", "/200/"), 1},
		{"other statuses, refused", one(strings.NewReplacer("/users", "/200/", app, evil).Replace(plain) + "\r\n"), 1},
		{"a shadow", change("/users", "/shadow/"), 1},
		{"another host", change("a.example", "host.example"), 1},
		{"another host with a port", change("a.example", "host.example:80"), 1},
		{"a wildcard", change("/users", "/none/1/end"), 1},
		{"a path to be cleaned", change("/users", "/any/../users//x"), 1},
		{"a path in disguise", change("/users", "/any/%2e%2e/users"), 1},
		{"no host", change("Host: a.example\r\n", ""), 1},
		{"an empty host", change("a.example", ""), 1},
		{"two hosts", one(plain + "Host: b.example\r\n\r\n"), 1},
		{"a host that is none", change("a.example", "a b"), 1},
		{"HTTP/1.0", change("HTTP/1.1", "HTTP/1.0"), 1},
		{"HTTP/1.2", change("HTTP/1.1", "HTTP/1.2"), 1},
		{"a version that is none", change("HTTP/1.1", "HTTP/x"), 1},
		{"two spaces", change("OPTIONS /", "OPTIONS  /"), 1},
		{"a line end of one byte", change("\r\nOrigin", "\nOrigin"), 1},
		{"a first line that ends with one byte", change("HTTP/1.1\r\nHost", "HTTP/1.1\nX: y\r\nHost"), 1},
		{"a lone return", change("\r\nOrigin", "\rOrigin"), 1},
		{"a folded line", change("\r\nOrigin", "\r\n x\r\nOrigin"), 1},
		{"a zero byte", change(": PUT", ": P\x00UT"), 1},
		{"a name with a space", change("Origin:", "Origin :"), 1},
		{"a line without a colon", change("Origin:", "Origin"), 1},
		{"a line that is only a colon", change("Origin:", ":"), 1},
		{"an unusual name", one(plain + "X!a: b\r\n\r\n"), 1},
		{"bytes above ASCII", one(plain + "X-A: \xff\xfe\r\n\r\n"), 1},
		{"a body", talk{{0, plain + "Content-Length: 4\r\n\r\nbody"}, {1, plain + "\r\n"}}, 2},
		{"an empty body", talk{{0, plain + "Content-Length: 0\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"two lengths", one(plain + "Content-Length: 0\r\nContent-Length: 1\r\n\r\n"), 1},
		{"chunks", talk{{0, plain + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"an expectation", one(plain + "Expect: 100-continue\r\n\r\n"), 1},
		{"an expectation of nonsense", one(plain + "Expect: nonsense\r\n\r\n"), 1},
		{"a kept connection", talk{{0, plain + "Connection: keep-alive\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"a closed connection", talk{{0, plain + "Connection: close\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"an upgrade", one(plain + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), 1},
		{"more than a packet", talk{{0, plain + "X-A: " + strings.Repeat("a", 5000) + "\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"as much as a buffer", talk{{0, plain + "X: " + strings.Repeat("a", 4096-len(plain)-7) + "\r\n\r\n"}, {1, plain + "\r\n"}}, 2},
		{"no request", one("\r\n" + plain + "\r\n"), 1},
		{"HTTP/2", one("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 1},
		{"the server itself", one("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 1},
		{"half a preflight, and no more", talk{{0, plain + "\r\n"}, {1, plain[:50]}}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			t.Parallel()
			for _, before := range []string{"", get, plain + "\r\n"} {
				said, answers := tt.talk, tt.answers
				if before != "" {
					said, answers = talk{{0, before}}, answers+1
					for _, p := range tt.talk {
						said = append(said, piece{p.after + 1, p.text})
					}
				}
				if diff := cmp.Diff(hold(t, without, said, answers), hold(t, with, said, answers)); diff != "" {
					t.Errorf("after %q: -without the lane +with it:\n%s", before, diff)
				}
			}
		})
	}
}

// TestTheLaneIsTaken holds the lane to what net/http really does: if it took
// another buffer, or other deadlines, nothing would be answered here.
func TestTheLaneIsTaken(t *testing.T) {
	const get = "GET /users HTTP/1.1\r\nHost: a.example\r\n\r\n"
	with, _ := lanes(t, func() gateway.Options { return gateway.Options{} })
	before := gateway.LaneAnswers.Load()
	hold(t, with, talk{{0, plain + "\r\n"}, {1, plain + "\r\n"}, {2, get}, {3, plain + "\r\n"}, {4, plain + "\r\n"}}, 5)
	// Behind a GET net/http reads ahead, and may come upon what follows first.
	if got := gateway.LaneAnswers.Load() - before; got < 2 || got > 3 {
		t.Errorf("the lane answered %d preflights, want all but the first of the connection: 3, or 2", got)
	}
}

func TestTheLaneIsLoggedAndCounted(t *testing.T) {
	var logs [2]lines
	var all [2]*service.Metrics
	i := 0
	with, without := lanes(t, func() gateway.Options {
		o := gateway.Options{Access: slog.New(slog.NewJSONHandler(&logs[i], nil)), Metrics: service.NewMetrics()}
		all[i] = o.Metrics
		i++
		return o
	})
	talk := talk{{0, plain + "\r\n"}, {1, strings.Replace(plain, app, evil, 1) + "\r\n"}}
	hold(t, with, talk, 2)
	hold(t, without, talk, 2)
	await(t, all[1], `cors_request_duration_seconds_count{kind="preflight",route="/"} 2`)
	await(t, all[0], `cors_request_duration_seconds_count{kind="preflight",route="/"} 2`)
	if diff := cmp.Diff(metrics(all[1]), metrics(all[0])); diff != "" {
		t.Errorf("-without the lane +with it:\n%s", diff)
	}
	if diff := cmp.Diff(records(logs[1].String()), records(logs[0].String())); diff != "" {
		t.Errorf("-without the lane +with it:\n%s", diff)
	}
}

func TestTheLaneIsObserved(t *testing.T) {
	var seen [2][]string
	i := 0
	with, without := lanes(t, func() gateway.Options {
		to := &seen[i]
		i++
		note := func(who string) func(*http.Request, cors.Decision) {
			return func(r *http.Request, d cors.Decision) {
				*to = append(*to, fmt.Sprint(who, r.Method, r.Host, r.URL, r.Header["Origin"], r.Header["Access-Control-Request-Method"], r.Header["Access-Control-Request-Headers"], d.Kind, d.Allowed, d.Reason, d.Route))
			}
		}
		return gateway.Options{Observe: note("observe"), Refused: note("refused")}
	})
	said := talk{{0, plain + "\r\n"}, {1, plain + "\r\n"}, {2, strings.Replace(plain, app, evil, 1) + "\r\n"}}
	hold(t, with, said, 3)
	hold(t, without, said, 3)
	if diff := cmp.Diff(seen[1], seen[0]); diff != "" || len(seen[0]) != 4 {
		t.Errorf("%d seen, -without the lane +with it:\n%s", len(seen[0]), diff)
	}
}

func TestObserversCostTheLaneNoAllocation(t *testing.T) {
	seen := 0
	observe := func(r *http.Request, d cors.Decision) {
		if d.Kind == cors.Preflight && r.Header.Get("Access-Control-Request-Method") == "PUT" {
			seen++
		}
	}
	allocations := func(o gateway.Options) float64 {
		g, err := gateway.New(gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy}}}, o)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go (&gateway.Server{Handler: g, Listener: l}).Serve(t.Context())
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		request, answer := []byte(plain+"\r\n"), make([]byte, 4<<10)
		return testing.AllocsPerRun(1_000, func() {
			c.Write(request)
			if _, err := c.Read(answer); err != nil {
				t.Fatal(err)
			}
		})
	}
	without, with := allocations(gateway.Options{}), allocations(gateway.Options{Observe: observe, Refused: observe})
	// The pool of preflights is emptied now and then.
	if with > without+1 || seen < 1_000 {
		t.Errorf("%v allocations, %v without observers, who saw %d", with, without, seen)
	}
}

// records are the lines of a log without what differs each time.
func records(log string) []string {
	var all []string
	for line := range strings.Lines(log) {
		_, rest, _ := strings.Cut(line, `"level"`)
		before, after, _ := strings.Cut(rest, `"remote":`)
		_, after, _ = strings.Cut(after, ",")
		status, after, _ := strings.Cut(after, `"duration_ms":`)
		_, after, _ = strings.Cut(after, ",")
		all = append(all, before+status+after)
	}
	return all
}

// FuzzTheLaneReadsWhatTheServerReads holds what the lane takes to what net/http
// reads: the same request, and nothing more.
func FuzzTheLaneReadsWhatTheServerReads(f *testing.F) {
	for _, add := range []string{"", "Connection: keep-alive\r\n", "Content-Length: 1\r\n", "Host: b\r\n", "Expect: x\r\n", "X: \x00\r\n", " x\r\n", "x\r\n", "Http2-Settings: a\r\n", "\r\n"} {
		f.Add(plain + add + "\r\n")
	}
	f.Add(strings.Replace(plain, "/users", "/a/../b?c=%zz;d#e", 1) + "\r\n")
	f.Add(strings.ReplaceAll(plain, "\r\n", "\n") + "\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		if !strings.HasPrefix(text, "OPTIONS /") || !strings.HasSuffix(text, "\r\n\r\n") {
			t.Skip()
		}
		got, ok := gateway.ParsePreflight(text)
		if !ok {
			return
		}
		in := bufio.NewReaderSize(strings.NewReader(text), len(text)+16)
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("%q: the lane takes it, and net/http says %v", text, err)
		}
		if in.Buffered() > 0 || r.ContentLength != 0 || len(r.TransferEncoding) > 0 || r.Close || r.Proto != "HTTP/1.1" ||
			r.Header["Expect"] != nil || r.Header["Upgrade"] != nil || r.URL.RawPath != "" || r.URL.Host != "" || r.URL.EscapedPath() != r.URL.Path {
			t.Errorf("%q: the lane takes it, and to net/http it is %+v, with %d bytes behind it", text, r, in.Buffered())
		}
		want := []any{r.Host, r.URL.Path, cors.RequestOf(r)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -net/http +lane:\n%s", text, diff)
		}
	})
}
