package explain

import (
	"slices"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// A Remark is worth knowing, though it did not decide.
type Remark struct {
	Kind  string // a stable name for programs
	text  phrase
	facts facts
}

// Text says the remark.
func (r Remark) Text(l Language) string { return r.text.in(l, r.facts) }

var remarks = map[string]phrase{
	"header-dropped": {
		"A page may not set {name}: the browser dropped it.",
		"ページから {name} は設定できないので、ブラウザーが取り除きました。",
	},
	"header-hidden": {
		"The page does not see {name}: the server would have to list it in Access-Control-Expose-Headers.",
		"ページから {name} は見えません。見せるには Access-Control-Expose-Headers に加える必要があります。",
	},
	"vary-missing": {
		"The response differs by origin and does not say Vary: Origin: a shared cache may give it to another origin, which then fails.",
		"オリジンによって変わるレスポンスなのに Vary: Origin がありません。共有キャッシュが別のオリジンに渡し、そちらで失敗することがあります。",
	},
	"cookie-not-sent": {
		"No cookie was sent: to another site only those with SameSite=None; Secure go, and some browsers send none at all.",
		"Cookie は送られていません。別サイトに送られるのは SameSite=None; Secure の付いたものだけで、まったく送らないブラウザーもあります。",
	},
	"credentials-not-sent": {
		`No cookie was sent: a fetch across origins has credentials only with credentials: "include".`,
		`Cookie は送られていません。オリジンをまたぐ fetch で認証情報が送られるのは credentials: "include" のときだけです。`,
	},
	"status-first": {
		"Safari checks the status of a preflight first, and reports {status} instead.",
		"Safari はプリフライトのステータスを先に調べるので、代わりに {status} を報告します。",
	},
	"origin-in-console": {
		"Chromium's console names the page's origin here, though null was sent.",
		"実際に送られたのは null ですが、Chromium のコンソールにはページのオリジンが表示されます。",
	},
	"firefox-says-cors": {
		"Firefox calls every failure of the network a CORS failure: a server that is down, a name that does not resolve, a certificate, an extension that blocks. Look into its network panel.",
		"Firefox はネットワークの失敗をすべて CORS の失敗として表示します。サーバーの停止、名前解決、証明書、拡張機能によるブロックなどです。ネットワークパネルを確かめてください。",
	},
}

// Remark adds a remark of a kind of this package to d.
func (d *Diagnosis) note(kind string, f facts) {
	text, ok := remarks[kind]
	if !ok || slices.ContainsFunc(d.Remarks, func(r Remark) bool { return r.Kind == kind && r.facts["name"] == f["name"] }) {
		return
	}
	d.Remarks = append(d.Remarks, Remark{kind, text, f})
}

func (d *Diagnosis) remark(q Question, res Result, exchanges []*fetch.Exchange) {
	var hidden []string
	for _, e := range res.Events {
		switch e.Kind {
		case fetch.EventHeaderDropped:
			d.note("header-dropped", facts{"name": d.show(e.Name)})
		case fetch.EventHeaderHidden:
			if name := header.Lower(e.Name); isInteresting(name) && !slices.Contains(hidden, e.Name) {
				hidden = append(hidden, e.Name)
			}
		}
	}
	if len(hidden) > 5 {
		hidden = append(hidden[:5], "…")
	}
	if len(hidden) > 0 {
		d.note("header-hidden", facts{"name": strings.Trim(d.show(strings.Join(hidden, ", ")), `"`)})
	}
	if d.At >= 0 {
		last := exchanges[d.At]
		allowed := get(last.ResponseHeader, header.AccessControlAllowOrigin)
		if allowed != "" && allowed != "*" && !last.Preflight && !variesByOrigin(last.ResponseHeader) && (d.Verdict == Works || d.Cause == "origin-other") && strings.Contains(allowed, "://") {
			d.note("vary-missing", nil)
		}
		if len(q.Cookies) > 0 && !last.Preflight && get(last.RequestHeader, "Cookie") == "" && d.Page != "null" {
			if d.credentials == fetch.CredentialsInclude {
				d.note("cookie-not-sent", nil)
			} else {
				d.note("credentials-not-sent", nil)
			}
		}
	}
	if d.Code == fetch.CodeMissingAllowOrigin && d.Preflight && d.Status != 0 && (d.Status < 200 || d.Status > 299) {
		d.note("status-first", facts{"status": d.facts["status"]})
	}
	if d.Cause == "origin-tainted" {
		d.note("origin-in-console", nil)
	}
}

// isInteresting reports whether a page may miss the header, with its name in
// lower case: not those that servers send by themselves.
func isInteresting(name string) bool {
	switch name {
	case "link", "etag", "location", "retry-after", "content-disposition", "authorization", "content-range":
		return true
	case "x-powered-by", "x-content-type-options", "x-frame-options", "x-xss-protection", "x-dns-prefetch-control", "x-download-options", "x-permitted-cross-domain-policies":
		return false
	}
	return strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "ratelimit")
}
