package explain

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// masked stands for what is not shown.
const masked = "[hidden]"

// secrets knows what must not be shown: the values of headers and parameters
// that hold secrets by their name, and those same values wherever else they
// turn up. Nil hides nothing.
type secrets struct{ values []string }

func newSecrets(q Question) *secrets {
	if q.ShowSecrets {
		return nil
	}
	s := &secrets{}
	if q.Request != nil {
		for _, f := range q.Request.Header {
			s.learn(f)
		}
		s.url(q.Request.URL)
	}
	s.url(q.Page)
	for _, c := range q.Cookies {
		s.learn(header.Field{Name: "Cookie", Value: c})
	}
	return s
}

func (s *secrets) learnAll(exchanges []*fetch.Exchange) {
	if s == nil {
		return
	}
	for _, e := range exchanges {
		for _, f := range slices.Concat(e.RequestHeader, e.ResponseHeader) {
			s.learn(f)
			if header.EqualFold(f.Name, "Location") {
				s.url(f.Value)
			}
		}
	}
}

// learn remembers the secret in f, if there is one.
func (s *secrets) learn(f header.Field) {
	if !isSecretHeader(f.Name) {
		return
	}
	switch name := header.Lower(f.Name); name {
	case "cookie":
		for pair := range strings.SplitSeq(f.Value, ";") {
			_, value, _ := strings.Cut(pair, "=")
			s.add(value)
		}
	case "set-cookie":
		pair, _, _ := strings.Cut(f.Value, ";")
		_, value, _ := strings.Cut(pair, "=")
		s.add(value)
	case "authorization", "proxy-authorization":
		s.add(f.Value)
		if _, token, ok := strings.Cut(f.Value, " "); ok {
			s.add(token)
		}
	default:
		s.add(f.Value)
	}
}

// add remembers value. What is short is no secret, and would take away half of
// every sentence.
func (s *secrets) add(value string) {
	value = strings.TrimSpace(value)
	if len(value) >= 6 && !slices.Contains(s.values, value) {
		s.values = append(s.values, value)
		if e := escape(value); e != value {
			s.values = append(s.values, e)
		}
		// A secret in another's inside must not leave the rest behind.
		slices.SortFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	}
}

// url learns the secrets in a URL.
func (s *secrets) url(rawURL string) {
	for _, m := range secretParameter.FindAllStringSubmatch(rawURL, -1) {
		s.add(m[3])
		if plain, err := url.QueryUnescape(m[3]); err == nil {
			s.add(plain)
		}
	}
	if m := userInfo.FindStringSubmatch(rawURL); m != nil {
		_, password, _ := strings.Cut(m[2], ":")
		s.add(password)
	}
}

// hide takes the secrets out of text.
func (s *secrets) hide(text string) string {
	if s == nil || text == "" {
		return text
	}
	text = userInfo.ReplaceAllString(text, "${1}"+masked+"@")
	text = secretParameter.ReplaceAllString(text, "${1}${2}="+masked)
	for _, value := range s.values {
		text = strings.ReplaceAll(text, value, masked)
	}
	return text
}

// field is f as it may be shown.
func (s *secrets) field(f header.Field) header.Field {
	if s == nil {
		return f
	}
	if !isSecretHeader(f.Name) {
		return header.Field{Name: f.Name, Value: s.hide(f.Value)}
	}
	switch header.Lower(f.Name) {
	case "cookie":
		var pairs []string
		for pair := range strings.SplitSeq(f.Value, ";") {
			name, _, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if !ok {
				name = ""
			}
			pairs = append(pairs, s.hide(name)+"="+masked)
		}
		f.Value = strings.Join(pairs, "; ")
	case "set-cookie":
		pair, attributes, _ := strings.Cut(f.Value, ";")
		name, _, ok := strings.Cut(pair, "=")
		if !ok {
			name = ""
		}
		f.Value = s.hide(name) + "=" + masked
		if attributes != "" {
			f.Value += ";" + s.hide(attributes)
		}
	case "authorization", "proxy-authorization":
		scheme, _, ok := strings.Cut(f.Value, " ")
		f.Value = masked
		if ok && header.IsToken(scheme) {
			f.Value = scheme + " " + masked
		}
	default:
		f.Value = masked
	}
	return f
}

func isSecretHeader(name string) bool {
	name = header.Lower(name)
	switch name {
	case "cookie", "set-cookie", "authorization", "proxy-authorization":
		return true
	}
	// The names of CORS and of Sec-Fetch hold words of this list, and no secrets.
	if strings.HasPrefix(name, "access-control-") || strings.HasPrefix(name, "sec-") {
		return false
	}
	return secretName.MatchString(name)
}

var (
	secretName      = regexp.MustCompile(`(?i)token|secret|passw|api[-_]?key|session|credential|signature|csrf|xsrf|jwt|^x-auth|^private-|-auth$`)
	secretParameter = regexp.MustCompile(`(?i)([?&#;])([a-z0-9_.\-\[\]%]*(?:token|secret|passw|api[-_]?key|session|credential|signature|jwt|authorization)[a-z0-9_.\-\[\]%]*|code|sig|key|auth|pwd|pass|otp|state|nonce|sid)=([^&#\s"'<>]*)`)
	userInfo        = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)([^/?#@\s"'<>]*)@`)
)

// show is s for a sentence, without secrets: hidden first, since what is cut
// short is no longer recognised.
func (d *Diagnosis) show(s string) string { return show(d.secrets.hide(s[:min(len(s), 64<<10)])) }

// mask takes the secrets out of d.
func (d *Diagnosis) mask(exchanges []*fetch.Exchange) {
	s := d.secrets
	if s == nil {
		d.Exchanges = exchanges
		return
	}
	for _, e := range exchanges {
		c := *e
		c.URL = s.hide(e.URL)
		c.RequestHeader, c.ResponseHeader = s.fields(e.RequestHeader), s.fields(e.ResponseHeader)
		d.Exchanges = append(d.Exchanges, &c)
	}
	d.document = s.hide(d.document)
	d.URL, d.BlockedAt, d.Said = s.hide(d.URL), s.hide(d.BlockedAt), s.hide(d.Said)
	for i, value := range d.Header.Sent {
		d.Header.Sent[i] = s.field(header.Field{Name: d.Header.Name, Value: value}).Value
	}
}

func (s *secrets) fields(list []header.Field) []header.Field {
	shown := make([]header.Field, len(list))
	for i, f := range list {
		shown[i] = s.field(f)
	}
	return shown
}
