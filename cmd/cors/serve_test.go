package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveCommands are what the scripts of cors serve are written in.
var serveCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"service": startService,
	"address": freeAddress,
	"ask":     ask,
	"hangup":  hangup,
	"fill":    fill,
}

// startService starts a service that knows a little of CORS, and sets the
// variable of that name to its URL.
func startService(ts *testscript.TestScript, _ bool, args []string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("X-Request-Id", "7")
		fmt.Fprintf(w, "%s of %s\n", r.URL.Path, args[0])
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

// freeAddress sets the variable of that name to an address where nobody listens.
func freeAddress(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	ts.Setenv(args[0], l.Addr().String())
}

// ask [-until PATTERN] METHOD URL [NAME:VALUE]... sends a request, and prints the
// status, what the response says of CORS, and the body. It asks again while
// nobody listens, and until what it prints matches.
func ask(ts *testscript.TestScript, _ bool, args []string) {
	var until *regexp.Regexp
	if args[0] == "-until" {
		until, args = regexp.MustCompile(args[1]), args[2:]
	}
	var text string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		r, err := http.NewRequest(args[0], args[1], nil)
		ts.Check(err)
		for _, h := range args[2:] {
			name, value, _ := strings.Cut(h, ":")
			r.Header.Set(name, value)
		}
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			text = err.Error()
			continue
		}
		text = answer(res)
		if until == nil || until.MatchString(text) {
			fmt.Fprint(ts.Stdout(), text)
			return
		}
	}
	ts.Fatalf("%s %s was not answered as wanted; at last:\n%s", args[0], args[1], text)
}

func answer(res *http.Response) string {
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for name, values := range res.Header {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			for _, value := range values {
				lines = append(lines, name+": "+value+"\n")
			}
		}
	}
	slices.Sort(lines)
	return res.Status + "\n" + strings.Join(lines, "") + "\n" + string(body)
}

// hangup sends SIGHUP to what runs in the background.
func hangup(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(os.Signal(syscall.SIGHUP)))
	}
}

// fill puts the values of variables into files.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o666))
	}
}
