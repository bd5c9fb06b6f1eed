package cors

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/crossorigin/cors/origin"
)

// LogRefusals returns an observer that writes a line to l for each request that
// is refused, with the reason and the name at fault:
//
//	mw.Observe(cors.LogRefusals(slog.Default()))
//
// The level is Info, since anyone can cause a refusal, and Error where the
// OriginSource failed. Of each level at most ten lines are written in a second;
// the next one says how many were omitted. A line has nothing of the query, of
// cookies, of other headers or of the body, and what it has is short and in
// printable ASCII. It passes over requests that say they are of the server's
// own origin, for which browsers do not ask.
func LogRefusals(l *slog.Logger) func(*http.Request, Decision) {
	var refused, failed limiter
	return func(r *http.Request, d Decision) {
		switch {
		case d.Kind == NotCORS || d.Allowed || r.Header.Get("Sec-Fetch-Site") == "same-origin":
		case d.Err != nil:
			failed.log(l, slog.LevelError, r, d)
		default:
			refused.log(l, slog.LevelInfo, r, d)
		}
	}
}

// A limiter lets a few lines pass in each second.
type limiter struct {
	mu      sync.Mutex
	since   time.Time
	lines   int
	omitted int
}

const linesPerSecond = 10

// pass reports whether a line may be written, and how many before it were not.
func (m *limiter) pass(now time.Time) (omitted int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if age := now.Sub(m.since); age < 0 || age >= time.Second {
		m.since, m.lines = now, 0
	}
	if m.lines == linesPerSecond {
		m.omitted++
		return 0, false
	}
	m.lines++
	omitted, m.omitted = m.omitted, 0
	return omitted, true
}

func (m *limiter) log(l *slog.Logger, level slog.Level, r *http.Request, d Decision) {
	if !l.Enabled(r.Context(), level) {
		return
	}
	omitted, ok := m.pass(time.Now())
	if !ok {
		return
	}
	attrs := []slog.Attr{
		slog.String("kind", d.Kind.String()),
		slog.String("reason", d.Reason.String()),
	}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, printable(value)))
		}
	}
	add("name", d.Name)
	add("origin", d.Origin)
	add("method", r.Method)
	add("host", r.Host)
	add("path", r.URL.Path)
	add("route", d.Route)
	if d.Err != nil {
		attrs = append(attrs, slog.Any("err", d.Err))
	}
	if omitted > 0 {
		attrs = append(attrs, slog.Int("omitted", omitted))
	}
	l.LogAttrs(r.Context(), level, "CORS refused", attrs...)
}

// printable returns s in printable ASCII, other bytes as in a Go string, and no
// longer than any origin.
func printable(s string) string {
	more := ""
	if len(s) > origin.MaxLen {
		s, more = s[:origin.MaxLen], "..."
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			quoted := strconv.QuoteToASCII(s)
			return quoted[1:len(quoted)-1] + more
		}
	}
	return s + more
}
