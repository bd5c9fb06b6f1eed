package cors

import (
	"fmt"
	"strings"
)

// A PolicyError is one mistake in a [Policy]. The errors of [New],
// [Middleware.SetPolicy] and [NewRoutes] hold one for each mistake: reach them
// with errors.As, or all of them through Unwrap() []error.
type PolicyError struct {
	Route  string // the pattern of [NewRoutes] whose policy it is, or ""
	Field  string // of Policy; "pattern" where a route has no good one
	Index  int    // of the element, where Field is a list; otherwise -1
	Value  string // what is there, as it was written
	Reason string // what is wrong with it
	Fix    string // what to do, as in `write "https://example.com"`
}

func (e *PolicyError) Error() string {
	var b strings.Builder
	b.WriteString("policy: ")
	if e.Route != "" {
		fmt.Fprintf(&b, "route %q: ", e.Route)
	}
	b.WriteString(e.Field)
	if e.Index >= 0 {
		fmt.Fprintf(&b, "[%d]", e.Index)
	}
	if e.Value != "" || e.Index >= 0 {
		fmt.Fprintf(&b, ": %.200q", e.Value)
	}
	fmt.Fprintf(&b, ": %s; %s", e.Reason, e.Fix)
	return b.String()
}
