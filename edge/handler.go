package edge

import (
	"net/http"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/internal/intercept"
)

// A Handler stands before a handler that writes CORS headers of its own, or
// passes on those of another server. It answers preflights, which never reach
// Next, and owns the CORS headers of every other response. Of a connection that
// Next hijacks it owns nothing.
type Handler struct {
	// Decide is [cors.Middleware.DecideHTTP] or [cors.Routes.DecideHTTP].
	Decide func(*http.Request) cors.Decision

	// Mode says whose CORS headers the responses of Next have. The answer to a
	// preflight has the policy's in each.
	Mode Mode

	// Stripped, unless nil, is told of each response of Next from which headers
	// were removed.
	Stripped func(*http.Request, Stripped)

	Next http.Handler
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d := h.Decide(r)
	if d.Kind == cors.Preflight {
		d.Apply(w.Header())
		w.WriteHeader(d.Status())
		return
	}
	intercept.Serve(w, r, h.Next, func(header http.Header, status int) {
		if stripped := OwnStatus(header, status, d, h.Mode); stripped != 0 && h.Stripped != nil {
			h.Stripped(r, stripped)
		}
	})
}

// OwnStatus is [Own] for a header that is about to be written with this status.
// Of informational responses, to which no browser applies CORS, it strips what
// [Own] would.
func OwnStatus(h http.Header, status int, d cors.Decision, m Mode) Stripped {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		return Own(h, d, m)
	}
	if m != Strip {
		return 0
	}
	return StripAll(h)
}
