package explain

import (
	"slices"

	"github.com/crossorigin/cors/fetch"
)

// A Cause is what a fetch fails for, more finely than a [fetch.Code]: a slash
// at the end of Access-Control-Allow-Origin and a port that is missing there are
// one code and two causes. Its text is a stable name for programs.
type Cause string

// A Class says who can mend a cause.
type Class string

// The classes.
const (
	ClassCORS    Class = "cors"    // the server's CORS headers
	ClassServer  Class = "server"  // the server, and not its CORS headers
	ClassPage    Class = "page"    // the page that fetches
	ClassNetwork Class = "network" // what lies between: not CORS
)

// Causes returns every cause, in the order of the standard's steps.
func Causes() []Cause {
	all := make([]Cause, len(causes))
	for i, c := range causes {
		all[i] = c.cause
	}
	return all
}

// Codes returns the codes under which c comes.
func (c Cause) Codes() []fetch.Code {
	if e := c.entry(); e != nil {
		return slices.Clone(e.codes)
	}
	return nil
}

// Class returns who can mend c.
func (c Cause) Class() Class {
	if e := c.entry(); e != nil {
		return e.class
	}
	return ""
}

func (c Cause) entry() *entry {
	for i := range causes {
		if causes[i].cause == c {
			return &causes[i]
		}
	}
	return nil
}

// entry is all that is said about a cause.
type entry struct {
	cause Cause
	codes []fetch.Code
	class Class
	fix   fix
	what  phrase // is wrong
	mend  phrase // what to change
	page  string // JavaScript for the page, if it can help
}

// fix is what configuration mends a cause.
type fix uint8

const (
	fixNone   fix = iota
	fixPolicy     // a policy that allows the request
	fixCORP       // Cross-Origin-Resource-Policy
)

var (
	noAllowOrigin   = []fetch.Code{fetch.CodeMissingAllowOrigin}
	preflightStatus = []fetch.Code{fetch.CodePreflightStatus, fetch.CodeMissingAllowOrigin}
	mismatch        = []fetch.Code{fetch.CodeOriginMismatch}
	nullOrigin      = []fetch.Code{fetch.CodeOriginMismatch, fetch.CodeMissingAllowOrigin}
	network         = []fetch.Code{fetch.CodeNetwork}
)

// one is the code of a cause that has a code of its own.
func one(code fetch.Code) []fetch.Code { return []fetch.Code{code} }

// The mends that several causes share.
var (
	mendAllow = phrase{
		"send Access-Control-Allow-Origin: {origin} and Vary: Origin, with errors too",
		"Access-Control-Allow-Origin: {origin} と Vary: Origin を返してください。エラーのレスポンスにも必要です",
	}
	mendOptions = phrase{
		"let OPTIONS reach the CORS middleware, before routing and login, so that it answers with Access-Control-Allow-Origin: {origin}",
		"OPTIONS がルーティングやログインより先に CORS ミドルウェアへ届くようにし、Access-Control-Allow-Origin: {origin} を返してください",
	}
	mendRoute = phrase{
		"let OPTIONS reach the CORS middleware, before routing and login, so that it answers with 204 and Access-Control-Allow-Origin: {origin}, and not with {status}",
		"OPTIONS がルーティングやログインより先に CORS ミドルウェアへ届くようにし、{status} ではなく 204 と Access-Control-Allow-Origin: {origin} を返してください",
	}
	mendStatus = phrase{
		"answer OPTIONS with 204, before routing and login, and not with {status}",
		"OPTIONS には、ルーティングやログインより先に、{status} ではなく 204 を返してください",
	}
	mendFinalURL = phrase{
		"fetch {location} at once, so that nothing is redirected",
		"リダイレクトが起きないように、初めから {location} を fetch してください",
	}
	mendTLS = phrase{
		"give the server a certificate that browsers trust for {host}; until then nothing about CORS matters",
		"{host} に対してブラウザーが信頼する証明書をサーバーに設定してください。それまでは CORS の設定は関係しません",
	}
)

const (
	pageFinalURL = `fetch("{location}")`
	pageOmit     = `fetch("{url}", { credentials: "omit" })`
)

var causes = []entry{
	// Main fetch
	{"bad-port", one(fetch.CodeBadPort), ClassServer, fixNone, phrase{
		"Browsers never connect to port {port}: it belongs to another protocol.",
		"ポート {port} は別のプロトコルのためのもので、ブラウザーはここには決して接続しません。",
	}, phrase{
		"serve at a port that browsers do not block",
		"ブラウザーが禁じていないポートでサーバーを動かしてください",
	}, ""},
	{"mixed-content", one(fetch.CodeMixedContent), ClassPage, fixNone, phrase{
		"A page that came over https may not fetch {url}, which is plain http: this is mixed content, not CORS.",
		"https のページから平文の {url} は fetch できません。これは CORS ではなく混在コンテンツ（mixed content）です。",
	}, phrase{
		"fetch https: from a page that came over https",
		"https のページからは https: の URL を fetch してください",
	}, `fetch("{https}")`},
	{"same-origin-mode", one(fetch.CodeSameOriginMode), ClassPage, fixNone, phrase{
		`The page asked for mode "same-origin", and {host} is another origin.`,
		`ページがモード "same-origin" を指定していますが、{host} は別オリジンです。`,
	}, phrase{
		`use mode "cors" to fetch from another origin`,
		`別オリジンから読むには、モード "cors" を使ってください`,
	}, `fetch("{url}", { mode: "cors" })`},
	{"no-cors-redirect-mode", one(fetch.CodeNoCORSRedirectMode), ClassPage, fixNone, phrase{
		`In mode "no-cors" another origin can be fetched only with redirect mode "follow".`,
		`モード "no-cors" で別オリジンを fetch できるのは、リダイレクトモードが "follow" のときだけです。`,
	}, phrase{
		`use redirect mode "follow" in mode "no-cors"`,
		`モード "no-cors" ではリダイレクトモード "follow" を使ってください`,
	}, `fetch("{url}", { mode: "no-cors", redirect: "follow" })`},
	{"scheme", one(fetch.CodeScheme), ClassPage, fixNone, phrase{
		"{url} is neither http: nor https:, and only those can be fetched across origins.",
		"{url} は http: でも https: でもありません。オリジンをまたいで fetch できるのはこの 2 つだけです。",
	}, phrase{
		"fetch from http: or https:; a host with a port and no scheme before it is read as a scheme",
		"http: か https: の URL を fetch してください。「localhost:3000」のようにスキームを省くと、ホスト名がスキームとして読まれます",
	}, `fetch("https://…")`},
	{"mime-type", one(fetch.CodeMIMEType), ClassServer, fixNone, phrase{
		"A script is asked for, and the response is of a type that cannot be one: {value}. This is not CORS.",
		"スクリプトが求められていますが、レスポンスの種類 {value} はスクリプトになりえません。これは CORS ではありません。",
	}, phrase{
		"send Content-Type: text/javascript with scripts; HTML here often means that the URL is not that of the script",
		"スクリプトには Content-Type: text/javascript を付けてください。HTML が返るなら、URL が違っていることがよくあります",
	}, ""},
	{"nosniff", one(fetch.CodeNosniff), ClassServer, fixNone, phrase{
		"The response has X-Content-Type-Options: nosniff and a Content-Type that does not fit its use: {value}. This is not CORS.",
		"X-Content-Type-Options: nosniff が付いていて、Content-Type {value} が用途に合いません。これは CORS ではありません。",
	}, phrase{
		"send the right Content-Type: text/javascript for scripts, text/css for style sheets",
		"正しい Content-Type を返してください。スクリプトは text/javascript、スタイルシートは text/css です",
	}, ""},
	{"integrity", one(fetch.CodeIntegrity), ClassPage, fixNone, phrase{
		"The body is not the one that the page's integrity metadata promises.",
		"ボディがページの integrity の値と一致しません。",
	}, phrase{
		"give the digest of the body that is served now",
		"いま配信されているボディのダイジェストを integrity に書いてください",
	}, `fetch("{url}", { integrity: "sha384-…" })`},

	// Scheme fetch
	{"about-url", one(fetch.CodeAboutURL), ClassPage, fixNone, phrase{
		"There is nothing to fetch at {url}.",
		"{url} には fetch できるものがありません。",
	}, phrase{
		"only about:blank can be fetched",
		"about: で fetch できるのは about:blank だけです",
	}, `fetch("about:blank")`},
	{"blob-url", one(fetch.CodeBlobURL), ClassPage, fixNone, phrase{
		"There is no such blob: it was revoked, or belongs to another page.",
		"その blob はありません。すでに破棄されたか、別のページのものです。",
	}, phrase{
		"fetch the blob before URL.revokeObjectURL, in the page that made it; or serve the content over http:",
		"URL.revokeObjectURL の前に、作ったページ自身で fetch するか、内容を http: で配信してください",
	}, `const url = URL.createObjectURL(blob); await fetch(url); URL.revokeObjectURL(url)`},
	{"data-url", one(fetch.CodeDataURL), ClassPage, fixNone, phrase{
		"The data: URL does not parse.",
		"data: URL を解釈できません。",
	}, phrase{
		"write the data: URL with a comma before its content",
		"data: URL では内容の前にコンマを書いてください",
	}, `fetch("data:text/plain,hello")`},
	{"file-url", one(fetch.CodeFileURL), ClassPage, fixNone, phrase{
		"Pages may not fetch file: URLs.",
		"ページから file: URL は fetch できません。",
	}, phrase{
		"serve the file over http:",
		"ファイルを http: で配信してください",
	}, `fetch("http://localhost:8000/…")`},

	// HTTP fetch
	{"corp", one(fetch.CodeCORP), ClassServer, fixCORP, phrase{
		"Cross-Origin-Resource-Policy: {value} keeps the response from this page; this is CORP, not CORS.",
		"Cross-Origin-Resource-Policy: {value} がこのページにレスポンスを渡しません。これは CORS ではなく CORP です。",
	}, phrase{
		`send Cross-Origin-Resource-Policy: cross-origin, or fetch in mode "cors"`,
		`Cross-Origin-Resource-Policy: cross-origin を返すか、モード "cors" で fetch してください`,
	}, `fetch("{url}", { mode: "cors" })`},
	{"redirect-error", one(fetch.CodeRedirectError), ClassPage, fixNone, phrase{
		`The server redirects, and the page asked for redirect mode "error".`,
		`サーバーがリダイレクトしましたが、ページはリダイレクトモード "error" を指定しています。`,
	}, phrase{
		`use redirect mode "follow", or fetch the URL that it redirects to`,
		`リダイレクトモード "follow" を使うか、リダイレクト先の URL を fetch してください`,
	}, `fetch("{url}", { redirect: "follow" })`},

	// HTTP-redirect fetch
	{"location", one(fetch.CodeLocation), ClassServer, fixNone, phrase{
		"The redirect has no Location that can be followed: {value}.",
		"リダイレクトの Location をたどれません: {value}",
	}, phrase{
		"redirect with one Location that parses as a URL",
		"URL として解釈できる Location を 1 つだけ返してください",
	}, ""},
	{"redirect-scheme", one(fetch.CodeRedirectScheme), ClassServer, fixNone, phrase{
		"The server redirects to {value}, which is neither http: nor https:.",
		"サーバーが http: でも https: でもない {value} にリダイレクトしました。",
	}, phrase{
		"redirect to http: or https:",
		"http: か https: にリダイレクトしてください",
	}, ""},
	{"redirect-loop", one(fetch.CodeTooManyRedirects), ClassServer, fixNone, phrase{
		"The server redirected more than 20 times, in a loop most likely.",
		"リダイレクトが 20 回を超えました。おそらくループしています。",
	}, phrase{
		"break the loop of redirects",
		"リダイレクトのループをなくしてください",
	}, ""},
	{"redirect-credentials", one(fetch.CodeRedirectCredentials), ClassServer, fixNone, phrase{
		"The server redirects to a URL with a user or password in it, which may not be followed to another origin.",
		"サーバーがユーザー名やパスワードを含む URL にリダイレクトしました。別オリジンへのこのようなリダイレクトはたどれません。",
	}, phrase{
		"redirect to a URL without user and password",
		"ユーザー名とパスワードを含まない URL にリダイレクトしてください",
	}, ""},
	{"redirect-body", one(fetch.CodeRedirectBody), ClassPage, fixNone, phrase{
		"The server redirects a request whose body is a stream, which cannot be sent a second time.",
		"ストリームのボディを持つリクエストがリダイレクトされました。ストリームは 2 度送れません。",
	}, phrase{
		"redirect with 303, or send a body that is not a stream",
		"303 でリダイレクトするか、ストリームではないボディを送ってください",
	}, `fetch("{url}", { method: "POST", body: await new Response(stream).blob() })`},

	// HTTP-network-or-cache fetch
	{"keepalive-size", one(fetch.CodeKeepaliveSize), ClassPage, fixNone, phrase{
		"The bodies of keepalive requests in flight are larger than 64 KiB together.",
		"送信中の keepalive リクエストのボディが合計 64 KiB を超えています。",
	}, phrase{
		"send at most 64 KiB in requests that outlive their page",
		"ページより長く生きるリクエストで送るのは 64 KiB までにしてください",
	}, `fetch("{url}", { method: "POST", body, keepalive: false })`},
	{"not-cached", one(fetch.CodeNotCached), ClassPage, fixNone, phrase{
		`The cache has nothing, and cache mode "only-if-cached" asks nobody else.`,
		`キャッシュに何もなく、キャッシュモード "only-if-cached" ではネットワークに問い合わせません。`,
	}, phrase{
		`use another cache mode than "only-if-cached"`,
		`"only-if-cached" 以外のキャッシュモードを使ってください`,
	}, `fetch("{url}", { cache: "default" })`},
	{"authentication-body", one(fetch.CodeAuthenticationBody), ClassPage, fixNone, phrase{
		"The server asks for a password, and the body is a stream, which cannot be sent a second time.",
		"サーバーがパスワードを求めていますが、ボディがストリームなので 2 度送れません。",
	}, phrase{
		"send a body that is not a stream where the server asks for a password",
		"サーバーがパスワードを求める場合は、ストリームではないボディを送ってください",
	}, `fetch("{url}", { method: "POST", body: await new Response(stream).blob() })`},
	{"proxy-authentication", one(fetch.CodeProxyAuthentication), ClassServer, fixNone, phrase{
		"The answer is 407: a proxy wants a password.",
		"407 が返されました。プロキシがパスワードを求めています。",
	}, phrase{
		"do not answer 407: that is for proxies",
		"407 を返さないでください。これはプロキシのためのステータスです",
	}, ""},

	// HTTP-network fetch: what people take for CORS
	{"name-not-resolved", network, ClassNetwork, fixNone, phrase{
		"The name {host} does not resolve: this is DNS, not CORS.",
		"{host} の名前を解決できません。これは CORS ではなく DNS の問題です。",
	}, phrase{
		"check the spelling of {host}, and the DNS or VPN that knows it",
		"{host} の綴りと、その名前を知っている DNS や VPN を確かめてください",
	}, ""},
	{"connection-refused", network, ClassNetwork, fixNone, phrase{
		"Nobody listens at {host}: the connection is refused. This is not CORS.",
		"{host} で待ち受けているものがなく、接続が拒否されました。これは CORS ではありません。",
	}, phrase{
		"start the server, or mend host and port; a container listens on its own loopback unless told 0.0.0.0",
		"サーバーを起動するか、ホストとポートを直してください。コンテナーの中では 0.0.0.0 で待ち受ける必要があります",
	}, ""},
	{"connection-reset", network, ClassNetwork, fixNone, phrase{
		"The server closed the connection without an answer: it crashed, or a proxy or firewall cut it. This is not CORS.",
		"サーバーが何も返さずに接続を切りました。サーバーが落ちたか、プロキシやファイアウォールが切断しています。これは CORS ではありません。",
	}, phrase{
		"look into the log of the server for this request",
		"このリクエストについてサーバーのログを調べてください",
	}, ""},
	{"timeout", []fetch.Code{fetch.CodeAborted, fetch.CodeNetwork}, ClassNetwork, fixNone, phrase{
		"{host} did not answer in time. This is not CORS.",
		"{host} から時間内に返事がありませんでした。これは CORS ではありません。",
	}, phrase{
		"check that the server is reachable from here (firewall, VPN), and how long it works on the request",
		"ここからサーバーに届くか（ファイアウォール、VPN）、処理にどれだけかかっているかを確かめてください",
	}, ""},
	{"unreachable", network, ClassNetwork, fixNone, phrase{
		"There is no route to {host}. This is not CORS.",
		"{host} への経路がありません。これは CORS ではありません。",
	}, phrase{
		"check the network, the VPN and the firewall between here and {host}",
		"ここから {host} までのネットワーク、VPN、ファイアウォールを確かめてください",
	}, ""},
	{"tls-untrusted", network, ClassNetwork, fixNone, phrase{
		"The certificate of {host} is signed by nobody that is trusted: this is TLS, not CORS.",
		"{host} の証明書は信頼できる認証局のものではありません。これは CORS ではなく TLS の問題です。",
	}, mendTLS, ""},
	{"tls-expired", network, ClassNetwork, fixNone, phrase{
		"The certificate of {host} has expired, or is not valid yet: this is TLS, not CORS.",
		"{host} の証明書は有効期限が切れているか、まだ有効になっていません。これは CORS ではなく TLS の問題です。",
	}, mendTLS, ""},
	{"tls-wrong-host", network, ClassNetwork, fixNone, phrase{
		"The certificate is not for {host}: this is TLS, not CORS.",
		"証明書が {host} のものではありません。これは CORS ではなく TLS の問題です。",
	}, mendTLS, ""},
	{"tls-failed", network, ClassNetwork, fixNone, phrase{
		"The TLS handshake with {host} fails: this is TLS, not CORS.",
		"{host} との TLS ハンドシェイクに失敗しました。これは CORS ではなく TLS の問題です。",
	}, phrase{
		"check protocol versions and certificates of the server, with openssl s_client -connect {host}",
		"openssl s_client -connect {host} で、サーバーのプロトコルバージョンと証明書を確かめてください",
	}, ""},
	{"https-to-http", network, ClassNetwork, fixNone, phrase{
		"{host} speaks plain http, and the page asks it over https. This is not CORS.",
		"{host} は平文の http で応答していますが、ページは https で接続しています。これは CORS ではありません。",
	}, phrase{
		"fetch http:, or give the server TLS",
		"http: で fetch するか、サーバーに TLS を設定してください",
	}, `fetch("{http}")`},
	{"not-recorded", network, ClassNetwork, fixNone, phrase{
		"The recording holds no response to this request: the browser blocked it, or none came.",
		"記録にこのリクエストのレスポンスがありません。ブラウザーがブロックしたか、届かなかったかのどちらかです。",
	}, phrase{
		"ask the server now: {command}",
		"いまサーバーに尋ねてください: {command}",
	}, ""},
	{"network-failure", network, ClassNetwork, fixNone, phrase{
		"No answer came from {host}: the network failed. This is not CORS.",
		"{host} から返事がなく、ネットワークで失敗しました。これは CORS ではありません。",
	}, phrase{
		"let the server answer this request, and look into its log",
		"サーバーがこのリクエストに答えるようにし、ログを調べてください",
	}, ""},
	{"http-to-https", one(fetch.CodeMalformedResponse), ClassNetwork, fixNone, phrase{
		"{host} speaks TLS, and the page asks it over plain http. This is not CORS.",
		"{host} は TLS で応答していますが、ページは平文の http で接続しています。これは CORS ではありません。",
	}, phrase{
		"fetch https:",
		"https: で fetch してください",
	}, `fetch("{https}")`},
	{"stream-over-http1", one(fetch.CodeStreamOverHTTP1), ClassServer, fixNone, phrase{
		"The body is a stream, and the server speaks only HTTP/1.1: browsers stream uploads over HTTP/2 and later.",
		"ボディがストリームですが、サーバーは HTTP/1.1 しか話しません。ブラウザーがストリームを送れるのは HTTP/2 以降です。",
	}, phrase{
		"serve HTTP/2, or send a body that is not a stream",
		"HTTP/2 に対応するか、ストリームではないボディを送ってください",
	}, `fetch("{url}", { method: "POST", body: await new Response(stream).blob() })`},
	{"malformed-response", one(fetch.CodeMalformedResponse), ClassServer, fixNone, phrase{
		"The answer is not HTTP that a browser accepts.",
		"返されたものは、ブラウザーが受け入れる HTTP ではありません。",
	}, phrase{
		"send headers without NUL and line ends in them",
		"NUL や改行を含まないヘッダーを返してください",
	}, ""},
	{"response-too-large", one(fetch.CodeResponseTooLarge), ClassServer, fixNone, phrase{
		"The response is larger than the limit.",
		"レスポンスが上限より大きすぎます。",
	}, phrase{
		"raise the browser's Limits, or send less",
		"Limits を上げるか、レスポンスを小さくしてください",
	}, ""},
	{"private-address", one(fetch.CodePrivateAddress), ClassNetwork, fixNone, phrase{
		"{host} has an address that is not public, and those are refused here.",
		"{host} のアドレスは公開されたものではなく、ここでは拒否されます。",
	}, phrase{
		"fetch a public address, or leave RefusePrivateAddresses off",
		"公開アドレスを fetch するか、RefusePrivateAddresses を使わないでください",
	}, ""},
	{"aborted", one(fetch.CodeAborted), ClassPage, fixNone, phrase{
		"The fetch was aborted before an answer came.",
		"返事が来る前に fetch が中断されました。",
	}, phrase{
		"let the server answer before the page gives up",
		"ページが諦める前にサーバーが答えるようにしてください",
	}, `fetch("{url}", { signal: AbortSignal.timeout(60_000) })`},

	// CORS check: no header
	{"missing-allow-origin", noAllowOrigin, ClassCORS, fixPolicy, phrase{
		"The response has no Access-Control-Allow-Origin, so no page of another origin may read it.",
		"レスポンスに Access-Control-Allow-Origin がないため、別オリジンのページはこれを読めません。",
	}, mendAllow, ""},
	{"missing-after-preflight", noAllowOrigin, ClassCORS, fixPolicy, phrase{
		"The preflight was allowed, but the response to {method} itself has no Access-Control-Allow-Origin: both need it.",
		"プリフライトは許可されましたが、{method} のレスポンス自体に Access-Control-Allow-Origin がありません。両方に必要です。",
	}, mendAllow, ""},
	{"error-without-cors", noAllowOrigin, ClassCORS, fixPolicy, phrase{
		"The server answered {status}, and its error response has no Access-Control-Allow-Origin: the browser reports CORS, the fault is the {status}.",
		"サーバーが {status} を返し、そのエラーレスポンスに Access-Control-Allow-Origin がありません。ブラウザーは CORS と報告しますが、本当の原因は {status} です。",
	}, phrase{
		"find out why the server answers {status}; and send Access-Control-Allow-Origin: {origin} and Vary: Origin, with errors too",
		"サーバーが {status} を返す理由を調べてください。あわせて、エラーのレスポンスにも Access-Control-Allow-Origin: {origin} と Vary: Origin を付けてください",
	}, ""},
	{"gateway-error", noAllowOrigin, ClassServer, fixPolicy, phrase{
		"A proxy answered {status} on its own, without Access-Control-Allow-Origin: the server behind it is down, slow or not reachable.",
		"プロキシ自身が Access-Control-Allow-Origin なしで {status} を返しました。その後ろのサーバーが止まっているか、遅いか、届きません。",
	}, phrase{
		"mend the server behind the proxy; and let the proxy send Access-Control-Allow-Origin: {origin} with its own errors too",
		"プロキシの後ろのサーバーを直してください。あわせて、プロキシ自身のエラーにも Access-Control-Allow-Origin: {origin} を付けてください",
	}, ""},
	{"refused-at-the-edge", noAllowOrigin, ClassServer, fixPolicy, phrase{
		"The request was refused with {status} before the application saw it (a limit, a firewall), without Access-Control-Allow-Origin.",
		"アプリケーションに届く前に、制限やファイアウォールが Access-Control-Allow-Origin なしで {status} を返しました。",
	}, phrase{
		"raise that limit, or send less; and let what answers {status} send Access-Control-Allow-Origin: {origin} too",
		"その制限を緩めるか、送る量を減らしてください。あわせて、{status} を返すものにも Access-Control-Allow-Origin: {origin} を付けさせてください",
	}, ""},
	{"redirect-without-cors", noAllowOrigin, ClassCORS, fixPolicy, phrase{
		"The redirect from {url} has no Access-Control-Allow-Origin: a redirect must pass the CORS check too.",
		"{url} からのリダイレクトに Access-Control-Allow-Origin がありません。リダイレクトも CORS チェックを通る必要があります。",
	}, phrase{
		"fetch {location} at once, or send Access-Control-Allow-Origin: {origin} with the {status} too",
		"初めから {location} を fetch するか、{status} にも Access-Control-Allow-Origin: {origin} を付けてください",
	}, pageFinalURL},
	{"login-redirect", []fetch.Code{fetch.CodeMissingAllowOrigin, fetch.CodeOriginMismatch}, ClassServer, fixPolicy, phrase{
		"The server sends the request on to a login page, {location}: the session is missing or has expired, and a login page is not for fetch().",
		"サーバーがリクエストをログインページ {location} へリダイレクトしました。セッションがないか、期限が切れています。ログインページは fetch() で読むものではありません。",
	}, phrase{
		"answer API requests without a session with 401 and CORS headers instead of a redirect, and let the page navigate to the login",
		"セッションのない API リクエストには、リダイレクトではなく CORS ヘッダー付きの 401 を返し、ログインにはページ自身を遷移させてください",
	}, `if (response.status === 401) location.assign("/login")`},

	// the same, and the status, of a preflight
	{"preflight-missing", noAllowOrigin, ClassCORS, fixPolicy, phrase{
		"The response to the preflight has no Access-Control-Allow-Origin.",
		"プリフライトのレスポンスに Access-Control-Allow-Origin がありません。",
	}, mendOptions, ""},
	{"preflight-not-routed", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server has no route for OPTIONS here: it answers the preflight with {status}.",
		"サーバーに OPTIONS のルートがなく、プリフライトに {status} を返しています。",
	}, mendRoute, ""},
	{"preflight-refused", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server knows CORS, and its policy refuses this preflight with {status}: the origin, the method or a header is not allowed.",
		"サーバーは CORS に対応していますが、そのポリシーがこのプリフライトを {status} で拒否しました。オリジン、メソッド、ヘッダーのいずれかが許可されていません。",
	}, phrase{
		"if pages of {origin} are meant to do this, allow the origin, the method and the headers that the preflight asks for",
		"{origin} のページにこれを許すつもりなら、プリフライトが尋ねているオリジン、メソッド、ヘッダーを許可してください",
	}, ""},
	{"preflight-unauthorized", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server answers the preflight with {status}, as if it lacked a login; but a preflight never has cookies nor Authorization.",
		"サーバーがプリフライトに {status} を返し、認証を求めています。しかしプリフライトに Cookie や Authorization が付くことはありません。",
	}, mendRoute, ""},
	{"preflight-redirect-https", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server redirects the preflight from http to https, and a preflight may not be redirected.",
		"サーバーがプリフライトを http から https へリダイレクトしていますが、プリフライトのリダイレクトは許されません。",
	}, mendFinalURL, pageFinalURL},
	{"preflight-redirect-slash", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server redirects the preflight for a slash at the end of the path, and a preflight may not be redirected.",
		"パスの末尾のスラッシュのためにサーバーがプリフライトをリダイレクトしていますが、プリフライトのリダイレクトは許されません。",
	}, mendFinalURL, pageFinalURL},
	{"preflight-redirect-login", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server redirects the preflight to a login page, {location}; but a preflight never has cookies nor Authorization.",
		"サーバーがプリフライトをログインページ {location} へリダイレクトしています。しかしプリフライトに Cookie や Authorization が付くことはありません。",
	}, mendStatus, ""},
	{"preflight-redirect", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server redirects the preflight ({status}), and a preflight may not be redirected.",
		"サーバーがプリフライトをリダイレクト（{status}）していますが、プリフライトのリダイレクトは許されません。",
	}, mendFinalURL, pageFinalURL},
	{"preflight-gateway-error", preflightStatus, ClassServer, fixPolicy, phrase{
		"A proxy answered the preflight with {status} on its own: the server behind it is down, slow or not reachable.",
		"プロキシ自身がプリフライトに {status} を返しました。その後ろのサーバーが止まっているか、遅いか、届きません。",
	}, phrase{
		"mend the server behind the proxy, or answer OPTIONS with 204 in the proxy",
		"プロキシの後ろのサーバーを直すか、プロキシで OPTIONS に 204 を返してください",
	}, ""},
	{"preflight-status", preflightStatus, ClassCORS, fixPolicy, phrase{
		"The server answers the preflight with {status}; only 200 to 299 count as a yes.",
		"サーバーがプリフライトに {status} を返しました。許可とみなされるのは 200 から 299 だけです。",
	}, mendStatus, ""},

	// CORS check: another value
	{"origin-slash", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin ends in a slash, and an origin has no path.",
		"Access-Control-Allow-Origin の末尾にスラッシュがあります。オリジンにパスはありません。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}, without the slash at the end: an origin has no path",
		"末尾のスラッシュを除き、Access-Control-Allow-Origin: {origin} を返してください。オリジンにパスはありません",
	}, ""},
	{"origin-path", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin holds a URL with a path, and an origin ends after host and port.",
		"Access-Control-Allow-Origin にパス付きの URL が入っています。オリジンはホストとポートまでです。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}, without the path",
		"パスを除き、Access-Control-Allow-Origin: {origin} を返してください",
	}, ""},
	{"origin-pattern", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin holds a pattern, {value}, and browsers know none.",
		"Access-Control-Allow-Origin にパターン {value} が入っていますが、ブラウザーはパターンを解釈しません。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}; browsers know no patterns, the server matches and names the one origin",
		"Access-Control-Allow-Origin: {origin} を返してください。パターンの照合はサーバーが行い、一致したオリジンを 1 つだけ返します",
	}, ""},
	{"origin-without-scheme", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin has no scheme: {value} is a host, not an origin.",
		"Access-Control-Allow-Origin にスキームがありません。{value} はホストであって、オリジンではありません。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}, with the scheme",
		"スキームを付けて、Access-Control-Allow-Origin: {origin} を返してください",
	}, ""},
	{"origin-scheme", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin allows {value}; the page is at {origin}. Only the scheme differs, and http and https are two origins.",
		"Access-Control-Allow-Origin が許可するのは {value} ですが、ページは {origin} です。違いはスキームだけですが、http と https は別のオリジンです。",
	}, phrase{
		"allow {origin}, and send it in Access-Control-Allow-Origin as it is: bytes are compared",
		"{origin} を許可し、そのまま Access-Control-Allow-Origin に返してください。比較はバイト単位です",
	}, ""},
	{"origin-port", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin allows {value}; the page is at {origin}. Only the port differs, and another port is another origin.",
		"Access-Control-Allow-Origin が許可するのは {value} ですが、ページは {origin} です。違いはポートだけですが、ポートが違えば別のオリジンです。",
	}, phrase{
		"allow {origin}, and send it in Access-Control-Allow-Origin as it is: bytes are compared",
		"{origin} を許可し、そのまま Access-Control-Allow-Origin に返してください。比較はバイト単位です",
	}, ""},
	{"origin-www", mismatch, ClassCORS, fixPolicy, phrase{
		`Access-Control-Allow-Origin allows {value}; the page is at {origin}. With and without "www." are two origins.`,
		`Access-Control-Allow-Origin が許可するのは {value} ですが、ページは {origin} です。「www.」のありなしは別のオリジンです。`,
	}, phrase{
		"allow {origin}, and send it in Access-Control-Allow-Origin as it is: bytes are compared",
		"{origin} を許可し、そのまま Access-Control-Allow-Origin に返してください。比較はバイト単位です",
	}, ""},
	{"origin-case", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin names the page's origin in other letters, and bytes are compared.",
		"Access-Control-Allow-Origin は大文字と小文字が違います。比較はバイト単位です。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}, in lower case",
		"小文字で Access-Control-Allow-Origin: {origin} を返してください",
	}, ""},
	{"origin-null-value", mismatch, ClassCORS, fixPolicy, phrase{
		`Access-Control-Allow-Origin says "null", which no ordinary page matches.`,
		`Access-Control-Allow-Origin が "null" です。これに一致する普通のページはありません。`,
	}, phrase{
		"allow {origin}, and send it in Access-Control-Allow-Origin as it is; null is no wildcard",
		"{origin} を許可し、そのまま Access-Control-Allow-Origin に返してください。null はワイルドカードではありません",
	}, ""},
	{"origin-empty", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin is empty: a variable in the server's configuration may not be set.",
		"Access-Control-Allow-Origin が空です。サーバーの設定で変数が未設定なのかもしれません。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}; look for a variable that is not set",
		"Access-Control-Allow-Origin: {origin} を返してください。未設定の変数がないか確かめてください",
	}, ""},
	{"origin-not-an-origin", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin is {value}, which is no origin.",
		"Access-Control-Allow-Origin の値 {value} はオリジンではありません。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin}; look for a variable that was not replaced",
		"Access-Control-Allow-Origin: {origin} を返してください。置き換えられなかった変数がないか確かめてください",
	}, ""},
	{"shared-cache", mismatch, ClassCORS, fixPolicy, phrase{
		"A cache answered with what it keeps for {value}: the response differs by origin and does not say Vary: Origin.",
		"キャッシュが {value} 向けの応答を返しました。オリジンによって変わるレスポンスなのに Vary: Origin がありません。",
	}, phrase{
		"send Vary: Origin with every response, allowed or not, and purge the cache",
		"許可するかどうかにかかわらず、すべてのレスポンスに Vary: Origin を付け、キャッシュを削除してください",
	}, ""},
	{"origin-opaque", nullOrigin, ClassPage, fixNone, phrase{
		`The page has no origin: it is a file, or in a sandbox, and sends Origin: null.`,
		`ページにオリジンがありません。ファイルとして開かれたか、サンドボックスの中にあり、Origin: null を送っています。`,
	}, phrase{
		"serve the page from an origin; do not allow null, which any page can take on",
		"ページを http: か https: で配信してください。null はどのページでも名乗れるので、許可してはいけません",
	}, ""},
	{"origin-tainted", nullOrigin, ClassServer, fixNone, phrase{
		"A redirect led from one foreign origin to another, so that the browser sent Origin: null, which the response does not allow.",
		"別オリジンからさらに別のオリジンへリダイレクトされたため、ブラウザーは Origin: null を送りましたが、レスポンスはこれを許可していません。",
	}, phrase{
		"let the first server redirect to no other origin, or fetch the last URL at once",
		"最初のサーバーから別オリジンへリダイレクトしないようにするか、初めから最後の URL を fetch してください",
	}, `fetch("{url}")`},
	{"origin-other", mismatch, ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin allows {value}; the page is at {origin}.",
		"Access-Control-Allow-Origin が許可するのは {value} ですが、ページは {origin} です。",
	}, phrase{
		"allow {origin}, and send it in Access-Control-Allow-Origin as it is: bytes are compared",
		"{origin} を許可し、そのまま Access-Control-Allow-Origin に返してください。比較はバイト単位です",
	}, ""},

	// CORS check: several values, *, credentials
	{"doubled-header", one(fetch.CodeMultipleAllowOrigin), ClassCORS, fixPolicy, phrase{
		"There are two Access-Control-Allow-Origin lines: two layers, such as the application and the proxy before it, each add one.",
		"Access-Control-Allow-Origin が 2 行あります。アプリケーションとその前のプロキシのように、2 つの層がそれぞれ付けています。",
	}, phrase{
		"send Access-Control-Allow-Origin once, with the one value {origin}; two layers may each have set it",
		"Access-Control-Allow-Origin は 1 度だけ、値 {origin} を 1 つだけ返してください。2 つの層がそれぞれ付けているはずです",
	}, ""},
	{"origin-list", one(fetch.CodeMultipleAllowOrigin), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin holds a list, and it takes one origin.",
		"Access-Control-Allow-Origin に複数の値が並んでいますが、書けるオリジンは 1 つだけです。",
	}, phrase{
		"send Access-Control-Allow-Origin once, with the one value {origin}: keep the list in the server, which names the one that asks",
		"Access-Control-Allow-Origin には値 {origin} を 1 つだけ返してください。一覧はサーバー側に持ち、問い合わせてきたものを 1 つ返します",
	}, ""},
	{"wildcard-with-credentials", one(fetch.CodeWildcardOrigin), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Origin: * does not allow requests with credentials; the origin must be named.",
		"認証情報付きのリクエストは Access-Control-Allow-Origin: * では許可されません。オリジンを明示する必要があります。",
	}, phrase{
		"send Access-Control-Allow-Origin: {origin} and Vary: Origin, or fetch without credentials",
		"Access-Control-Allow-Origin: {origin} と Vary: Origin を返すか、認証情報なしで fetch してください",
	}, pageOmit},
	{"allow-credentials-missing", one(fetch.CodeAllowCredentials), ClassCORS, fixPolicy, phrase{
		"The request has credentials, and the response has no Access-Control-Allow-Credentials: true.",
		"認証情報付きのリクエストですが、レスポンスに Access-Control-Allow-Credentials: true がありません。",
	}, phrase{
		"send Access-Control-Allow-Credentials: true, in these very letters, or fetch without credentials",
		"このとおりの綴りで Access-Control-Allow-Credentials: true を返すか、認証情報なしで fetch してください",
	}, pageOmit},
	{"allow-credentials-value", one(fetch.CodeAllowCredentials), ClassCORS, fixPolicy, phrase{
		`Access-Control-Allow-Credentials is {value}, and only "true", in lower case, counts.`,
		`Access-Control-Allow-Credentials が {value} です。有効なのは小文字の "true" だけです。`,
	}, phrase{
		"send Access-Control-Allow-Credentials: true, in these very letters, or fetch without credentials",
		"このとおりの綴りで Access-Control-Allow-Credentials: true を返すか、認証情報なしで fetch してください",
	}, pageOmit},

	// CORS-preflight fetch
	{"methods-syntax", one(fetch.CodeAllowMethodsSyntax), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Methods is no list of methods: {value}.",
		"Access-Control-Allow-Methods がメソッドの並びとして読めません: {value}",
	}, phrase{
		"write names in Access-Control-Allow-Methods with commas between them, and nothing else",
		"Access-Control-Allow-Methods には、名前をコンマで区切って書いてください。ほかの記号は使えません",
	}, ""},
	{"headers-syntax", one(fetch.CodeAllowHeadersSyntax), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Headers is no list of names: {value}.",
		"Access-Control-Allow-Headers が名前の並びとして読めません: {value}",
	}, phrase{
		"write names in Access-Control-Allow-Headers with commas between them, and nothing else",
		"Access-Control-Allow-Headers には、名前をコンマで区切って書いてください。ほかの記号は使えません",
	}, ""},
	{"method-list-missing", one(fetch.CodeMethodNotAllowed), ClassCORS, fixPolicy, phrase{
		"The response to the preflight has no Access-Control-Allow-Methods, and {method} needs to be in it.",
		"プリフライトのレスポンスに Access-Control-Allow-Methods がありません。{method} を許可するには必要です。",
	}, phrase{
		"add {method} to Access-Control-Allow-Methods",
		"Access-Control-Allow-Methods に {method} を加えてください",
	}, ""},
	{"method-not-listed", one(fetch.CodeMethodNotAllowed), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Methods does not list {method}.",
		"Access-Control-Allow-Methods に {method} がありません。",
	}, phrase{
		"add {method} to Access-Control-Allow-Methods",
		"Access-Control-Allow-Methods に {method} を加えてください",
	}, ""},
	{"method-case", one(fetch.CodeMethodNotAllowed), ClassPage, fixPolicy, phrase{
		"The page sends {method}, the server allows {upper}: methods are case-sensitive, and browsers put only DELETE, GET, HEAD, OPTIONS, POST and PUT in upper case.",
		"ページが送るのは {method}、サーバーが許可するのは {upper} です。メソッドは大文字と小文字を区別し、ブラウザーが大文字に直すのは DELETE、GET、HEAD、OPTIONS、POST、PUT だけです。",
	}, phrase{
		"write the method as {upper} in the page: browsers do not put it in upper case, and the server allows {upper}",
		"ページでメソッドを {upper} と書いてください。ブラウザーは大文字に直さず、サーバーは {upper} を許可しています",
	}, `fetch("{url}", { method: "{upper}" })`},
	{"method-wildcard", one(fetch.CodeMethodNotAllowed), ClassCORS, fixPolicy, phrase{
		"With credentials, * in Access-Control-Allow-Methods is a method of that name, and does not cover {method}.",
		"認証情報付きでは、Access-Control-Allow-Methods の * はその名前のメソッドとして扱われ、{method} を含みません。",
	}, phrase{
		"add {method} to Access-Control-Allow-Methods; with credentials * is no wildcard",
		"Access-Control-Allow-Methods に {method} を加えてください。認証情報付きでは * はワイルドカードになりません",
	}, pageOmit},
	{"authorization-wildcard", one(fetch.CodeAuthorizationNotAllowed), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Headers: * does not cover Authorization, which must be listed by name.",
		"Access-Control-Allow-Headers: * は Authorization を含みません。名前を明記する必要があります。",
	}, phrase{
		"add authorization to Access-Control-Allow-Headers by its name; * does not cover it",
		"Access-Control-Allow-Headers に authorization を名前で加えてください。* には含まれません",
	}, ""},
	{"authorization-not-listed", one(fetch.CodeAuthorizationNotAllowed), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Headers does not list Authorization.",
		"Access-Control-Allow-Headers に Authorization がありません。",
	}, phrase{
		"add authorization to Access-Control-Allow-Headers",
		"Access-Control-Allow-Headers に authorization を加えてください",
	}, ""},
	{"content-type-not-listed", one(fetch.CodeHeaderNotAllowed), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Headers does not list content-type, which this request needs: its Content-Type is not that of a form or plain text.",
		"Access-Control-Allow-Headers に content-type がありません。Content-Type がフォームや text/plain 以外なので必要です。",
	}, phrase{
		"add content-type to Access-Control-Allow-Headers",
		"Access-Control-Allow-Headers に content-type を加えてください",
	}, ""},
	{"header-list-missing", one(fetch.CodeHeaderNotAllowed), ClassCORS, fixPolicy, phrase{
		"The response to the preflight has no Access-Control-Allow-Headers, and {name} needs to be in it.",
		"プリフライトのレスポンスに Access-Control-Allow-Headers がありません。{name} を許可するには必要です。",
	}, phrase{
		"add {name} to Access-Control-Allow-Headers",
		"Access-Control-Allow-Headers に {name} を加えてください",
	}, ""},
	{"header-not-listed", one(fetch.CodeHeaderNotAllowed), ClassCORS, fixPolicy, phrase{
		"Access-Control-Allow-Headers does not list {name}.",
		"Access-Control-Allow-Headers に {name} がありません。",
	}, phrase{
		"add {name} to Access-Control-Allow-Headers",
		"Access-Control-Allow-Headers に {name} を加えてください",
	}, ""},
	{"header-wildcard", one(fetch.CodeHeaderNotAllowed), ClassCORS, fixPolicy, phrase{
		"With credentials, * in Access-Control-Allow-Headers is a header of that name, and does not cover {name}.",
		"認証情報付きでは、Access-Control-Allow-Headers の * はその名前のヘッダーとして扱われ、{name} を含みません。",
	}, phrase{
		"add {name} to Access-Control-Allow-Headers; with credentials * is no wildcard",
		"Access-Control-Allow-Headers に {name} を加えてください。認証情報付きでは * はワイルドカードになりません",
	}, pageOmit},

	{"unknown", one(fetch.CodeUnknown), ClassPage, fixNone, phrase{
		"The fetch is blocked for a reason that has no name.",
		"名前のない理由で fetch が止められました。",
	}, phrase{
		"this is a fault of package fetch; please report it",
		"これはパッケージ fetch の欠陥です。報告してください",
	}, ""},

	// not blocked, and yet not what was hoped for
	{"opaque", nil, ClassPage, fixPolicy, phrase{
		`In mode "no-cors" the response is opaque: status 0, no headers, no body. Nothing was refused, and nothing can be read.`,
		`モード "no-cors" のレスポンスは不透明（opaque）です。ステータスは 0、ヘッダーもボディもありません。拒否されてはいませんが、何も読めません。`,
	}, phrase{
		`use mode "cors", and let the server allow the page`,
		`モード "cors" を使い、サーバー側でこのページを許可してください`,
	}, `fetch("{url}")`},
	{"opaque-redirect", nil, ClassPage, fixNone, phrase{
		`In redirect mode "manual" a redirect is opaque: the page cannot see where it leads.`,
		`リダイレクトモード "manual" ではリダイレクトは不透明（opaque）で、ページから行き先は見えません。`,
	}, phrase{
		`a redirect is opaque in redirect mode "manual"; use "follow"`,
		`リダイレクトモード "manual" ではなく "follow" を使ってください`,
	}, `fetch("{url}", { redirect: "follow" })`},
	{"works", nil, "", fixNone, phrase{
		"It works: the page may read the response, status {status}.",
		"問題ありません。ページはレスポンス（ステータス {status}）を読めます。",
	}, phrase{"there is nothing to mend", "直すところはありません"}, ""},
	{"works-same-origin", nil, "", fixNone, phrase{
		"It works: the page fetches from its own origin, and CORS has no say. Status {status}.",
		"問題ありません。ページ自身のオリジンからの fetch なので、CORS は関係しません。ステータス {status}。",
	}, phrase{"there is nothing to mend", "直すところはありません"}, ""},
	{"works-with-error", nil, ClassServer, fixNone, phrase{
		"CORS is fine: the page may read the response. But it is an error, status {status}.",
		"CORS は問題なく、ページはレスポンスを読めます。ただし内容はエラー（ステータス {status}）です。",
	}, phrase{
		"find out why the server answers {status}",
		"サーバーが {status} を返す理由を調べてください",
	}, ""},
	{"works-unexpected-body", nil, ClassServer, fixNone, phrase{
		"CORS is fine: the page may read the response. But it is an HTML page where data was asked for, as a login page or a single-page application's fallback is.",
		"CORS は問題なく、ページはレスポンスを読めます。ただしデータではなく HTML が返されています。ログインページか、SPA のフォールバックかもしれません。",
	}, phrase{
		"check the path of the URL, and whether the request is logged in",
		"URL のパスと、ログイン済みのリクエストかどうかを確かめてください",
	}, ""},
}
