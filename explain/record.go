package explain

import "github.com/crossorigin/cors/fetch"

// SchemaVersion is the version of [Record]'s JSON. It grows when a field changes
// its meaning or goes; a new field does not change it.
const SchemaVersion = 1

// A Record is a diagnosis in words, as JSON for programs.
type Record struct {
	SchemaVersion int    `json:"schemaVersion"`
	Language      string `json:"language"`

	Verdict  Verdict `json:"verdict"`
	CORS     bool    `json:"cors"`            // other CORS headers would mend it
	Cause    Cause   `json:"cause"`           // a stable name
	Class    Class   `json:"class,omitempty"` // who can mend it
	Code     string  `json:"code,omitempty"`  // of the engine
	Sentence string  `json:"sentence"`
	Mend     string  `json:"mend,omitempty"`

	Page      string          `json:"page"`
	Origin    string          `json:"origin"` // as the server that decided saw it
	Method    string          `json:"method"`
	URL       string          `json:"url"`
	BlockedAt string          `json:"blockedAt,omitempty"` // where redirects led elsewhere
	Preflight bool            `json:"preflight"`           // it was the preflight that failed
	Status    int             `json:"status,omitempty"`
	Error     string          `json:"error,omitempty"` // of the network
	Rule      string          `json:"rule,omitempty"`
	RuleURL   string          `json:"ruleURL,omitempty"`
	Header    *RecordedHeader `json:"header,omitempty"`

	Reasons   []RecordedReason    `json:"preflightReasons,omitempty"`
	Exchanges []RecordedExchange  `json:"exchanges,omitempty"`
	Remarks   []RecordedRemark    `json:"remarks,omitempty"`
	Consoles  map[string][]string `json:"consoles,omitempty"`
	Browsers  []RecordedOutcome   `json:"browsers,omitempty"`
	Different string              `json:"difference,omitempty"`

	PageCode string            `json:"pageCode,omitempty"`
	Server   Server            `json:"server,omitempty"` // that seems to have answered
	Configs  map[Server]string `json:"configurations,omitempty"`
}

// A RecordedHeader is a header as it was sent and as it should be.
type RecordedHeader struct {
	Name     string   `json:"name"`
	Sent     []string `json:"sent"`
	ShouldBe string   `json:"shouldBe,omitempty"`
}

// A RecordedReason is why there was a preflight.
type RecordedReason struct {
	Method string `json:"method,omitempty"`
	Header string `json:"header,omitempty"`
	Text   string `json:"text"`
}

// A RecordedExchange is a request and its response.
type RecordedExchange struct {
	Preflight      bool        `json:"preflight"`
	Method         string      `json:"method"`
	URL            string      `json:"url"`
	RequestHeader  [][2]string `json:"requestHeader"`
	Status         int         `json:"status,omitempty"`
	ResponseHeader [][2]string `json:"responseHeader,omitempty"`
	FromCache      bool        `json:"fromCache,omitempty"`
	Decided        bool        `json:"decided,omitempty"`
}

// A RecordedRemark is what else is worth knowing.
type RecordedRemark struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// A RecordedOutcome is what one browser makes of it.
type RecordedOutcome struct {
	Browser  string   `json:"browser"`
	Verdict  Verdict  `json:"verdict"`
	Cause    Cause    `json:"cause"`
	Quirks   []string `json:"quirks,omitempty"`
	NotTried bool     `json:"notTried,omitempty"`
}

// Record puts d in words.
func (d *Diagnosis) Record(l Language) Record {
	r := Record{
		SchemaVersion: SchemaVersion, Language: l.String(),
		Verdict: d.Verdict, CORS: d.IsCORS(), Cause: d.Cause, Class: d.Cause.Class(), Sentence: d.Sentence(l),
		Page: d.Page, Origin: d.Origin, Method: d.Method, URL: d.URL, Preflight: d.Preflight, Status: d.Status, Error: d.Said,
		PageCode: d.PageCode(), Server: d.Server, Different: d.Difference(l),
	}
	if d.Verdict != Works || d.Cause.Class() != "" {
		r.Mend = d.Mend(l)
	}
	if d.BlockedAt != d.URL {
		r.BlockedAt = d.BlockedAt
	}
	if d.Verdict == Blocked || d.Verdict == Unreachable {
		r.Code = d.Code.String()
		r.Consoles = map[string][]string{}
		for _, b := range []fetch.Profile{fetch.Chromium, fetch.Firefox, fetch.WebKit} {
			r.Consoles[b.String()] = append([]string{}, d.Console(b)...)
		}
	}
	if d.Step.Anchor != "" {
		r.Rule, r.RuleURL = d.Rule(l), "https://fetch.spec.whatwg.org/#"+d.Step.Anchor
	}
	if d.Header.Name != "" {
		r.Header = &RecordedHeader{d.Header.Name, []string{}, d.Header.Want}
		for _, value := range d.Header.Sent {
			r.Header.Sent = append(r.Header.Sent, isomorphic(value))
		}
	}
	for _, reason := range d.Reasons {
		r.Reasons = append(r.Reasons, RecordedReason{reason.Method, reason.Header, reason.Text(l)})
	}
	for i, e := range d.Exchanges {
		r.Exchanges = append(r.Exchanges, recordExchange(e, i == d.At && r.Code != ""))
	}
	for _, remark := range d.Remarks {
		r.Remarks = append(r.Remarks, RecordedRemark{remark.Kind, remark.Text(l)})
	}
	for _, o := range d.Browsers {
		r.Browsers = append(r.Browsers, RecordedOutcome{o.Browser.String(), o.Verdict, o.Cause, o.Quirks, o.NotTried})
	}
	if d.Verdict != Works {
		for _, s := range Servers() {
			if config := d.Config(s); config != "" {
				if r.Configs == nil {
					r.Configs = map[Server]string{}
				}
				r.Configs[s] = config
			}
		}
	}
	return r
}

func recordExchange(e *fetch.Exchange, decided bool) RecordedExchange {
	r := RecordedExchange{
		Preflight: e.Preflight, Method: e.Method, URL: e.URL, RequestHeader: [][2]string{},
		Status: e.Status, FromCache: e.FromCache, Decided: decided,
	}
	for _, f := range e.RequestHeader {
		r.RequestHeader = append(r.RequestHeader, [2]string{f.Name, isomorphic(f.Value)})
	}
	for _, f := range e.ResponseHeader {
		r.ResponseHeader = append(r.ResponseHeader, [2]string{f.Name, isomorphic(f.Value)})
	}
	return r
}

// isomorphic is a header's value for JSON, which has no bytes: each is the code
// point of its number.
//
// https://infra.spec.whatwg.org/#isomorphic-decode
func isomorphic(value string) string {
	runes := make([]rune, len(value))
	for i := range len(value) {
		runes[i] = rune(value[i])
	}
	return string(runes)
}
