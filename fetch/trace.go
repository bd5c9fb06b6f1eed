package fetch

// An Event is a step of a fetch as it is taken: see [Request.Trace].
type Event struct {
	Kind EventKind
	URL  string // the request's current URL

	Name, Value string   // a header or method and what it says, as Kind has it
	Names       []string // several
	Exchange    *Exchange
}

// An EventKind says what happened.
type EventKind uint8

// The events, in the order in which a fetch comes to them.
const (
	EventHeaderDropped   EventKind = iota + 1 // Name: a page may not set it
	EventTainted                              // Value: the response tainting, "basic", "cors" or "opaque"
	EventPreflightNeeded                      // Name: the method, if that is why; Names: the unsafe header names; Value: "upload" for upload listeners
	EventPreflightCached                      // a preflight that would be needed was found in the cache
	EventPreflightShared                      // another fetch's preflight under way was waited for
	EventCookiesSent                          // Value: of Cookie
	EventRequestSent                          // Exchange
	EventResponse                             // Exchange
	EventCORSCheckPassed                      // Name, Value: the header and value that let it pass
	EventRedirected                           // Value: the new URL
	EventOriginTainted                        // the origin is "null" from here on
	EventHeaderRemoved                        // Name: removed from the request by a redirect
	EventHeaderHidden                         // Name: of the response, hidden from the page
	EventQuirk                                // Name: of a quirk of the profile that made a difference
)

var eventKinds = [...]string{
	EventHeaderDropped: "header dropped", EventTainted: "tainted", EventPreflightNeeded: "preflight needed",
	EventPreflightCached: "preflight cached", EventPreflightShared: "preflight shared", EventCookiesSent: "cookies sent",
	EventRequestSent: "request sent", EventResponse: "response", EventCORSCheckPassed: "CORS check passed",
	EventRedirected: "redirected", EventOriginTainted: "origin tainted", EventHeaderRemoved: "header removed",
	EventHeaderHidden: "header hidden", EventQuirk: "quirk",
}

func (k EventKind) String() string {
	if int(k) < len(eventKinds) {
		return eventKinds[k]
	}
	return ""
}

// emit tells the page's Trace of e.
func (r *request) emit(e Event) {
	if r.trace == nil {
		return
	}
	e.URL = r.told()
	r.trace(e)
}
