package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/cmd/internal/service"
)

// maxLogged is how much of a path or host a record holds.
const maxLogged = 1 << 10

// logAccess writes the record of a request. There is no query in it, since
// queries hold what is secret, and no header but Origin.
func logAccess(l *slog.Logger, r *http.Request, route *route, d cors.Decision, a answer) {
	attrs := make([]slog.Attr, 0, 20)
	attrs = append(attrs,
		slog.String("method", clip(r.Method)),
		slog.String("host", clip(r.Host)),
		slog.String("path", clip(r.URL.Path)),
		slog.String("protocol", r.Proto),
		slog.String("remote", r.RemoteAddr),
		slog.Int("status", a.status),
		slog.Int64("bytes", a.bytes),
		slog.Float64("duration_ms", float64(time.Since(a.start).Microseconds())/1e3),
		slog.String("route", route.pattern),
		slog.String("kind", d.Kind.String()),
	)
	if d.Kind != cors.NotCORS {
		attrs = append(attrs, slog.String("verdict", service.Verdict(d)), slog.String("origin", d.Origin))
	}
	if d.Reason != cors.ReasonNone {
		attrs = append(attrs, slog.String("reason", d.Reason.String()))
	}
	if d.Name != "" {
		attrs = append(attrs, slog.String("name", clip(d.Name)))
	}
	if d.Err != nil {
		attrs = append(attrs, slog.String("error", d.Err.Error()))
	}
	if route.Shadow {
		attrs = append(attrs, slog.Bool("shadow", true))
	}
	if a.failed != nil {
		attrs = append(attrs, slog.String("failed", a.failed.cause))
	}
	l.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request", attrs...)
}

func clip(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged]
	}
	return s
}
