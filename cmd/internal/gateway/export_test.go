package gateway

// LaneAnswers counts what lanes answer.
var LaneAnswers = &laneAnswers

// ParsePreflight returns what the lane makes of the head of a request: the host,
// the path, and what is decided upon.
func ParsePreflight(head string) ([]any, bool) {
	q := new(preflight)
	if !q.parse(head) {
		return nil, false
	}
	return []any{q.host, q.path, q.request()}, true
}
