package edge

import (
	"net/http"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
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
	intercept.Serve(w, r, h.Next, func(own http.Header, status int) {
		if stripped := OwnStatus(own, status, d, h.Mode); stripped != 0 && h.Stripped != nil {
			h.Stripped(r, stripped)
		}
	})
	if h.Mode == Strip {
		StripTrailer(w.Header())
	}
}

// OwnStatus is [Own] for a header that is about to be written with this status;
// what Strip removes, it also removes from the trailer that the header announces.
// Of informational responses, to which no browser applies CORS, it strips what
// [Own] would.
func OwnStatus(h http.Header, status int, d cors.Decision, m Mode) Stripped {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		if m == Strip {
			stripAnnounced(h)
		}
		return Own(h, d, m)
	}
	if m != Strip {
		return 0
	}
	return StripAll(h)
}

// stripAnnounced takes the headers of CORS out of the trailer that h announces.
func stripAnnounced(h http.Header) {
	lines := h["Trailer"]
	if len(lines) == 0 {
		return
	}
	var kept []string
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && !header.IsAccessControl(name) {
				kept = append(kept, name)
			}
		}
	}
	delete(h, "Trailer")
	if len(kept) > 0 {
		h["Trailer"] = []string{strings.Join(kept, ", ")}
	}
}

// StripTrailer removes the headers of CORS from a trailer that is not announced:
// those in h whose names begin with [http.TrailerPrefix], once the response is
// written. No browser looks for CORS there, but what is in between may merge a
// trailer into the header.
func StripTrailer(h http.Header) {
	for name := range h {
		if own, ok := strings.CutPrefix(name, http.TrailerPrefix); ok && header.IsAccessControl(own) {
			delete(h, name)
		}
	}
}
