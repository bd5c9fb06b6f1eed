package fetch

import (
	"github.com/crossorigin/cors/header"
	"github.com/crossorigin/cors/origin"
)

// A ReferrerPolicy says how much of its address a page tells the servers that
// it fetches from. The empty one stands for the default,
// [ReferrerPolicyStrictOriginWhenCrossOrigin].
//
// https://w3c.github.io/webappsec-referrer-policy/#referrer-policies
type ReferrerPolicy string

// The eight referrer policies.
const (
	ReferrerPolicyNoReferrer                  ReferrerPolicy = "no-referrer"
	ReferrerPolicyNoReferrerWhenDowngrade     ReferrerPolicy = "no-referrer-when-downgrade"
	ReferrerPolicySameOrigin                  ReferrerPolicy = "same-origin"
	ReferrerPolicyOrigin                      ReferrerPolicy = "origin"
	ReferrerPolicyStrictOrigin                ReferrerPolicy = "strict-origin"
	ReferrerPolicyOriginWhenCrossOrigin       ReferrerPolicy = "origin-when-cross-origin"
	ReferrerPolicyStrictOriginWhenCrossOrigin ReferrerPolicy = "strict-origin-when-cross-origin"
	ReferrerPolicyUnsafeURL                   ReferrerPolicy = "unsafe-url"
)

// IsValid reports whether p is one of the eight policies, or empty.
func (p ReferrerPolicy) IsValid() bool {
	switch p {
	case "", ReferrerPolicyNoReferrer, ReferrerPolicyNoReferrerWhenDowngrade, ReferrerPolicySameOrigin, ReferrerPolicyOrigin,
		ReferrerPolicyStrictOrigin, ReferrerPolicyOriginWhenCrossOrigin, ReferrerPolicyStrictOriginWhenCrossOrigin, ReferrerPolicyUnsafeURL:
		return true
	}
	return false
}

// parseReferrerPolicy returns the policy that the lines of Referrer-Policy ask
// for: the last one known. It is empty where none is, and then the policy in
// force stays.
//
// https://w3c.github.io/webappsec-referrer-policy/#parse-referrer-policy-from-header
func parseReferrerPolicy(lines []string) ReferrerPolicy {
	tokens, _ := header.List(lines)
	policy := ReferrerPolicy("")
	for _, token := range tokens {
		if p := ReferrerPolicy(header.Lower(token)); p.IsValid() {
			policy = p
		}
	}
	return policy
}

// maxReferrer is the length above which a referrer is cut down to its origin.
const maxReferrer = 4096

// determineReferrer returns the referrer of a request to current, nil for none.
// The source is the page's URL, or the one that the request names; nil where the
// request's referrer is "no-referrer", or is "client" in a page whose origin is
// opaque.
//
// https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer
func determineReferrer(policy ReferrerPolicy, source, current *urlRecord) *urlRecord {
	// Beyond the local schemes, which strip-url leaves out, no browser tells a
	// server about file: and the like.
	if source == nil || !isHTTPScheme(source.scheme) {
		return nil
	}
	full := stripReferrer(source)
	if len(full.href) > maxReferrer {
		full = source.originOnly()
	}
	same := origin.Same(source.origin, current.origin)
	downgrade := source.isTrustworthy() && !current.isTrustworthy()
	switch policy {
	case ReferrerPolicyOrigin:
		return source.originOnly()
	case ReferrerPolicyUnsafeURL:
		return full
	case ReferrerPolicyStrictOrigin:
		if downgrade {
			return nil
		}
		return source.originOnly()
	case "", ReferrerPolicyStrictOriginWhenCrossOrigin:
		switch {
		case same:
			return full
		case downgrade:
			return nil
		}
		return source.originOnly()
	case ReferrerPolicySameOrigin:
		if same {
			return full
		}
		return nil
	case ReferrerPolicyOriginWhenCrossOrigin:
		if same {
			return full
		}
		return source.originOnly()
	case ReferrerPolicyNoReferrerWhenDowngrade:
		if downgrade {
			return nil
		}
		return full
	}
	return nil // no-referrer, and what is no policy at all
}

// stripReferrer is u without what no server is told: credentials and fragment.
//
// https://w3c.github.io/webappsec-referrer-policy/#strip-url
func stripReferrer(u *urlRecord) *urlRecord {
	if !u.hasFragment {
		return u.withoutCredentials()
	}
	v := *u.withoutCredentials()
	v.fragment, v.hasFragment = "", false
	return &v
}
