package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/gateway"
)

func TestRequestsArePassedOn(t *testing.T) {
	tests := []struct {
		row, base, request string
		want               []string
	}{
		{"as they are", "", "PATCH /a%2Fb/?q=%zz;x&y=a+b HTTP/1.1\r\nHost: api.example.com\r\nX-A: 1\r\nx-a: 2\r\nCookie: c=d\r\nOrigin: " + app,
			[]string{"PATCH /a%2Fb/?q=%zz;x&y=a+b", "Content-Length: 0", "Cookie: c=d", "Origin: " + app, "X-A: 1", "X-A: 2", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: api.example.com", "X-Forwarded-Proto: http"}},
		{"below the path of the upstream", "/v1", "GET /users HTTP/1.1\r\nHost: a",
			[]string{"GET /v1/users", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: a", "X-Forwarded-Proto: http"}},
		{"without what a client says of its way here", "", "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b",
			[]string{"GET /", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: a", "X-Forwarded-Proto: http"}},
		{"without what is of the connection", "", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Authorization: x\r\nTe: gzip",
			[]string{"GET /", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: a", "X-Forwarded-Proto: http"}},
		{"to nowhere that they name", "", "GET http://169.254.169.254/meta HTTP/1.1\r\nHost: 169.254.169.254",
			[]string{"GET /meta", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: 169.254.169.254", "X-Forwarded-Proto: http"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var got []string
			upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = []string{r.Method + " " + r.RequestURI}
				for _, name := range slices.Sorted(maps.Keys(r.Header)) {
					for _, value := range r.Header[name] {
						got = append(got, name+": "+value)
					}
				}
			}))
			to := serve(t, newGateway(t, gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream.JoinPath(tt.base)}}}, gateway.Options{}))
			c, err := net.Dial("tcp", to.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, tt.request+"\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatal(res, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestRedirectsArePassedOn(t *testing.T) {
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://internal.example/next", http.StatusFound)
	})
	res, _ := do(t, request(t, "GET", to, nil, "Origin", app))
	if got := res.Header.Get("Location"); res.StatusCode != 302 || got != "http://internal.example/next" {
		t.Errorf("%d to %q", res.StatusCode, got)
	}
	if diff := cmp.Diff(readable, said(res.Header)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRoutes(t *testing.T) {
	upstream := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, name) }
	}
	api, admin, other := serve(t, upstream("api")), serve(t, upstream("admin")), serve(t, upstream("other"))
	allow := func(origin string) cors.Policy { return cors.Policy{Origins: []string{origin}} }
	g := newGateway(t, gateway.Config{
		Upstream: other,
		Routes: map[string]gateway.Route{
			"/api/":              {Policy: allow("https://api.example"), Upstream: api},
			"/api/admin/":        {Policy: allow("https://admin.example"), Upstream: admin},
			"/files/{id}/public": {Policy: allow("*"), Upstream: api},
			"host.example/":      {Policy: allow("https://host.example")},
			"/off/":              {},
			"/exact":             {Policy: allow("https://exact.example")},
		},
	}, gateway.Options{})
	to := serve(t, g)
	tests := []struct {
		row, host, path string
		want            string // the body, and who may read it
	}{
		{"a prefix", "", "/api/users", "api https://api.example"},
		{"the longest prefix", "", "/api/admin/users", "admin https://admin.example"},
		{"a prefix without its slash", "", "/api", "api https://api.example"},
		{"a wildcard", "", "/files/7/public", "api *"},
		{"a host", "host.example", "/api/users", "other https://host.example"},
		{"a host with a port", "host.example:8080", "/", "other https://host.example"},
		{"a route that is off", "", "/off/", "other "},
		{"no route", "", "/elsewhere", "other "},
		{"an exact path", "", "/exact", "other https://exact.example"},
		{"and not below it", "", "/exact/more", "other "},
		{"dots are walked", "", "/api/admin/../users", "api https://api.example"},
		{"slashes are counted once", "", "//api//admin//users", "admin https://admin.example"},
		{"a slash in a segment within one route", "", "/api/users%2F7", "api https://api.example"},
		{"a slash in a segment that may lead elsewhere", "", "/api/x/..%2Fadmin/users", "400"},
		{"dots in disguise", "", "/api/x/%2e%2e/admin/users", "400"},
		{"a backslash", "", `/api/x/..%5Cadmin/users`, "400"},
		{"a parameter", "", "/api/admin;x/users", "400"},
		{"dots with a parameter", "", "/api/x/..;/admin/users", "400"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			for _, origin := range []string{"https://api.example", "https://admin.example", "https://host.example", "https://exact.example"} {
				c, err := net.Dial("tcp", to.Host)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				host := tt.host
				if host == "" {
					host = "gateway.example"
				}
				fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n\r\n", tt.path, host, origin)
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				if tt.want == "400" {
					if res.StatusCode != 400 {
						t.Errorf("%s got %d %q, want 400", tt.path, res.StatusCode, body)
					}
					continue
				}
				name, reader, _ := strings.Cut(tt.want, " ")
				want := ""
				if reader == origin || reader == "*" {
					want = reader
				}
				if got := res.Header.Get("Access-Control-Allow-Origin"); string(body) != name || got != want {
					t.Errorf("%s by %s: upstream %q, Access-Control-Allow-Origin %q, want %q, %q", tt.path, origin, body, got, name, want)
				}
			}
		})
	}
}

func TestWebSocketsPass(t *testing.T) {
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Origin") != evil {
			t.Errorf("the upstream gets %v", r.Header)
		}
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAccess-Control-Allow-Origin: *\r\n\r\n")
		rw.Flush()
		io.Copy(c, rw)
	})
	c, err := net.Dial("tcp", to.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nOrigin: "+evil+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 101 {
		t.Fatalf("status %d", res.StatusCode)
	}
	if diff := cmp.Diff(notReadable, said(res.Header)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, word := range []string{"one", "two"} {
		fmt.Fprintln(c, word)
		if got, err := in.ReadString('\n'); got != word+"\n" {
			t.Errorf("got %q, %v for %q", got, err, word)
		}
	}
}

func TestEventsArriveOneByOne(t *testing.T) {
	next := make(chan struct{})
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			http.NewResponseController(w).Flush()
			<-next
		}
	})
	res, err := http.DefaultTransport.RoundTrip(request(t, "GET", to, nil, "Origin", app))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events := bufio.NewReader(res.Body)
	for i := range 3 {
		want := fmt.Sprintf("data: %d\n", i)
		if got, err := events.ReadString('\n'); got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
		events.ReadString('\n')
		next <- struct{}{} // the upstream did not go on before the event was here
	}
}

func TestTrailersAndEarlyHintsPass(t *testing.T) {
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "7")
	})
	var hints []string
	r := request(t, "GET", to, nil, "Origin", evil)
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, " ", h["Link"], said(http.Header(h))))
		return nil
	}}))
	res, body := do(t, r)
	if diff := cmp.Diff([]string{"103 [</style.css>] []"}, hints); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := res.Trailer.Get("X-Sum"); body != "body" || got != "7" {
		t.Errorf("body %q, trailer %q", body, got)
	}
}

func TestTrailersSayNothingOfCORS(t *testing.T) {
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, Access-Control-Allow-Origin")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "7")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set(http.TrailerPrefix+"Access-Control-Allow-Credentials", "true")
		w.Header().Set(http.TrailerPrefix+"X-Late", "8")
	})
	res, _ := do(t, request(t, "GET", to, nil, "Origin", app))
	if diff := cmp.Diff(http.Header{"X-Sum": {"7"}, "X-Late": {"8"}}, res.Trailer); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLargeBodies sends 8 MB up and gets them back while they are sent.
func TestLargeBodies(t *testing.T) {
	to := inFront(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, r.Body)
	})
	const size = 8 << 20
	sent, got := sha256.New(), sha256.New()
	body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), sent)
	res, err := http.DefaultTransport.RoundTrip(request(t, "PUT", to, body, "Origin", app))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(got, res.Body); n != size || !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
		t.Errorf("%d bytes came back, %v, want %d, the same", n, err, size)
	}
}

func TestAccessLog(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "body") }))
	var log bytes.Buffer
	g := newGateway(t, gateway.Config{Routes: map[string]gateway.Route{
		"/":        {Policy: policy, Upstream: upstream},
		"/down/":   {Policy: policy, Upstream: nowhere(t)},
		"/shadow/": {Policy: policy, Upstream: upstream, Shadow: true},
	}}, gateway.Options{Access: slog.New(slog.NewJSONHandler(&log, nil))})
	tests := []struct {
		row string
		r   *http.Request
		raw string
	}{
		{"an allowed request", request(t, "GET", parse(t, "http://a.example/x?secret=1"), nil, "Origin", app, "Cookie", "secret"),
			`"method":"GET","host":"a.example","path":"/x","protocol":"HTTP/1.1","remote":"1.2.3.4:5","status":200,"bytes":4,"route":"/","kind":"actual","verdict":"allowed","origin":"https://app.example.com"`},
		{"a refused preflight", request(t, "OPTIONS", parse(t, "http://a.example/"), nil, "Origin", app, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-evil"),
			`"method":"OPTIONS","host":"a.example","path":"/","protocol":"HTTP/1.1","remote":"1.2.3.4:5","status":403,"bytes":0,"route":"/","kind":"preflight","verdict":"refused","origin":"https://app.example.com","reason":"request-header","name":"x-evil"`},
		{"an error of the gateway's own", request(t, "GET", parse(t, "http://a.example/down/"), nil),
			`"method":"GET","host":"a.example","path":"/down/","protocol":"HTTP/1.1","remote":"1.2.3.4:5","status":502,"bytes":51,"route":"/down/","kind":"not-cors","failed":"unreachable"`},
		{"a shadow", request(t, "GET", parse(t, "http://a.example/shadow/"), nil, "Origin", evil),
			`"method":"GET","host":"a.example","path":"/shadow/","protocol":"HTTP/1.1","remote":"1.2.3.4:5","status":200,"bytes":4,"route":"/shadow/","kind":"actual","verdict":"refused","origin":"https://evil.example","reason":"origin","shadow":true`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			log.Reset()
			tt.r.RemoteAddr = "1.2.3.4:5"
			tt.r.Host = "a.example"
			g.ServeHTTP(httptest.NewRecorder(), tt.r)
			var got, want map[string]any
			if err := json.Unmarshal(log.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", log.String(), err)
			}
			if err := json.Unmarshal([]byte("{"+tt.raw+"}"), &want); err != nil {
				t.Fatal(err)
			}
			for _, always := range []string{"time", "level", "msg", "duration_ms"} {
				if got[always] == nil {
					t.Errorf("the record has no %s", always)
				}
				delete(got, always)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCookiesThatAreHiddenAreNotPassedOn(t *testing.T) {
	var got []string
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Header["Cookie"] }))
	config := gateway.Config{Routes: map[string]gateway.Route{"/": {Policy: policy, Upstream: upstream}}}
	to := serve(t, newGateway(t, config, gateway.Options{HideCookies: "hidden-"}))
	for _, tt := range []struct {
		name       string
		sent, want []string
	}{
		{"one alone", []string{"hidden-1=a"}, nil},
		{"among others", []string{"a=1; hidden-1=a; b=2;hidden-2=b"}, []string{"a=1; b=2"}},
		{"on several lines", []string{"a=1", "hidden-1=a", "b=2; c=3"}, []string{"a=1; b=2; c=3"}},
		{"others that say the same elsewhere", []string{"a=hidden-1; not-hidden-1=b"}, []string{"a=hidden-1; not-hidden-1=b"}},
		{"none", []string{"a=1;b=2", "c=3"}, []string{"a=1;b=2", "c=3"}},
	} {
		r, err := http.NewRequest("GET", to.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header["Cookie"] = tt.sent
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", tt.name, diff)
		}
	}
}
