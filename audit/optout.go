package audit

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// An optOut is what a server's robots.txt says to auditors by their name.
type optOut struct{ allow, disallow []string }

// botName is the name by which a robots.txt can ask to be left alone. A group for
// all robots is not heeded: it is about search engines.
const botName = "cors-audit"

// optedOut says why q is not to be asked; "" where it may be. Servers are asked
// once.
func (a *Auditor) optedOut(ctx context.Context, q *inquiry) string {
	at := q.base.String()
	a.mu.Lock()
	o, ok := a.optOuts[at]
	a.mu.Unlock()
	if !ok {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at+"/robots.txt", nil)
		if err != nil {
			return ""
		}
		r.Header.Set("User-Agent", auditAgent)
		if answer := q.memo.answer(r); answer.err == nil && answer.status == http.StatusOK {
			o = parseOptOut(string(answer.body))
		}
		a.mu.Lock()
		if len(a.optOuts) == maxHosts {
			clear(a.optOuts)
		}
		a.optOuts[at] = o
		a.mu.Unlock()
	}
	u, err := url.Parse(q.url)
	if err != nil {
		return ""
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if longest(o.disallow, path) > longest(o.allow, path) {
		return "its robots.txt asks " + botName + " to stay away"
	}
	return ""
}

func longest(prefixes []string, path string) int {
	n := -1
	for _, p := range prefixes {
		if strings.HasPrefix(path, p) {
			n = max(n, len(p))
		}
	}
	return n
}

// parseOptOut reads the groups for botName.
//
// https://www.rfc-editor.org/rfc/rfc9309
func parseOptOut(text string) (o optOut) {
	ours, inRules := false, false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "user-agent":
			ours = ours && !inRules || strings.EqualFold(value, botName)
			inRules = false
		case "disallow":
			inRules = true
			if ours && value != "" {
				o.disallow = append(o.disallow, value)
			}
		case "allow":
			inRules = true
			if ours && value != "" {
				o.allow = append(o.allow, value)
			}
		}
	}
	return o
}
