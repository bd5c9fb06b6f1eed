package table

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/policyfile"
)

// A Subject starts a server that keeps the policies of file, and passes requests
// on to its upstreams. Dir is empty, and its own.
type Subject func(dir string, file *policyfile.File) (*Server, error)

// A Server is a subject that runs.
type Server struct {
	URL      string           // http, without a path
	Findings []export.Finding // what it was announced to do otherwise
	Close    func()
}

// A Report is what a subject made of the rows.
type Report struct{ Outcomes []Outcome }

// An Outcome is what a subject made of a row.
type Outcome struct {
	Row     Row
	Got     Reply
	Wrong   []string        // what is other than it must be
	Finding *export.Finding // that announced it
}

func (o Outcome) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s", o.Row, o.Row.Request.Method, o.Row.Request.Path)
	for _, f := range o.Row.Request.Header {
		fmt.Fprintf(&b, " [%s: %.100s]", f.Name, f.Value)
	}
	b.WriteString(": " + strings.Join(o.Wrong, "; "))
	return b.String()
}

// Right is how many rows are as they must be.
func (r *Report) Right() int { return r.count(func(o Outcome) bool { return len(o.Wrong) == 0 }) }

// Announced returns the rows that are not, as a finding said.
func (r *Report) Announced() []Outcome {
	return r.such(func(o Outcome) bool { return len(o.Wrong) > 0 && o.Finding != nil })
}

// Wrong returns the rows that are not, and nothing said so.
func (r *Report) Wrong() []Outcome {
	return r.such(func(o Outcome) bool { return len(o.Wrong) > 0 && o.Finding == nil })
}

func (r *Report) such(f func(Outcome) bool) (all []Outcome) {
	for _, o := range r.Outcomes {
		if f(o) {
			all = append(all, o)
		}
	}
	return all
}

func (r *Report) count(f func(Outcome) bool) int { return len(r.such(f)) }

// Run asks subject every row. Dir is empty, and its own.
func Run(dir string, subject Subject) (*Report, error) {
	names := make([]string, len(Policies))
	for i, p := range Policies {
		names[i] = p.Name
	}
	return RunOn(dir, subject, names...)
}

// RunOn is [Run] for the rows of some policies.
func RunOn(dir string, subject Subject, policies ...string) (*Report, error) {
	all, err := Rows()
	if err != nil {
		return nil, err
	}
	upstream := httptest.NewServer(answering(all))
	defer upstream.Close()
	report := new(Report)
	for i, p := range Policies {
		if !slices.Contains(policies, p.Name) {
			continue
		}
		own := filepath.Join(dir, strconv.Itoa(i))
		if err := os.Mkdir(own, 0o777); err != nil {
			return nil, err
		}
		file, err := p.Parse(upstream.URL)
		if err != nil {
			return nil, err
		}
		if err := report.ask(subject, own, file, all, p.Name); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return report, nil
}

// ask asks a server that keeps one policy its rows.
func (r *Report) ask(subject Subject, dir string, file *policyfile.File, all []Row, policy string) error {
	server, err := subject(dir, file)
	if err != nil {
		return err
	}
	defer server.Close()
	for i, row := range all {
		if row.Policy != policy {
			continue
		}
		got, err := send(server.URL, row.Request, i)
		if err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		o := Outcome{Row: row, Got: got}
		more := false
		for _, d := range differ(row, got) {
			o.Wrong = append(o.Wrong, d.text)
			more = more || d.more
		}
		if len(o.Wrong) > 0 {
			o.Finding = announced(server.Findings, row, more && o.Seen())
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	return nil
}

// announced returns the finding that says that a server will be wrong about row:
// in a way that allows more, or in one that does not.
func announced(findings []export.Finding, row Row, more bool) *export.Finding {
	for _, f := range findings {
		if !slices.Contains(row.About, f.Field) || f.Route != "" && f.Route != row.Route {
			continue
		}
		if !more || f.Effect == export.Widened || f.Effect == export.Needs {
			return &f
		}
	}
	return nil
}

// answering is the upstream: it says what the row says whose number is in the
// query.
func answering(all []Row) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(r.URL.Query().Get("row"))
		if err != nil || i < 0 || i >= len(all) {
			http.Error(w, "there is no such row", http.StatusTeapot)
			return
		}
		answer(w, all[i].Answer)
	})
}

func answer(w http.ResponseWriter, a Answer) {
	if a.Down {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
		return
	}
	for _, f := range a.Header {
		w.Header()[f.Name] = append(w.Header()[f.Name], f.Value)
	}
	w.WriteHeader(max(a.Status, 200))
}

// send sends a request as it is over a connection of its own.
func send(server string, q Request, row int) (Reply, error) {
	u, err := url.Parse(server)
	if err != nil {
		return Reply{}, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return Reply{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	query := "?"
	if strings.Contains(q.Path, "?") {
		query = "&"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%srow=%d HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n", q.Method, q.Path, query, row, q.Host)
	for _, f := range q.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	b.WriteString("\r\n")
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return Reply{}, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: q.Method})
	if err != nil {
		return Reply{}, err
	}
	defer res.Body.Close()
	return replyOf(res.StatusCode, res.Header), nil
}

// closedPort is one on which nothing listens.
const closedPort = "1"

// Parse returns the file of p, with upstream as its upstream.
func (p Policy) Parse(upstream string) (*policyfile.File, error) {
	text := strings.NewReplacer("UPSTREAM", upstream, "CLOSED", "http://127.0.0.1:"+closedPort).Replace(p.Text)
	return policyfile.Parse([]byte(text))
}

// fields makes lines of names and values.
func fields(pairs ...string) []header.Field {
	list := make([]header.Field, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, header.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return list
}
