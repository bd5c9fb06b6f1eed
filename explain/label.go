package explain

import "strconv"

// labels are the words around a diagnosis.
var labels = map[string]phrase{
	"works":       {"works", "問題なし"},
	"opaque":      {"opaque", "不透明"},
	"blocked":     {"blocked", "ブロック"},
	"unreachable": {"unreachable", "到達不能"},

	"page":       {"page", "ページ"},
	"server":     {"server", "サーバー"},
	"preflight":  {"preflight", "プリフライト"},
	"request":    {"request", "リクエスト"},
	"redirect":   {"redirect", "リダイレクト"},
	"cached":     {"from the cache", "キャッシュから"},
	"no answer":  {"no answer", "応答なし"},
	"missing":    {"is missing", "がない"},
	"should be":  {"should be", "正しくは"},
	"never sent": {"{method} is never sent", "{method} は送られない"},
	"not read":   {"the page may not read it", "ページは読めない"},
	"read":       {"the page may read it", "ページは読める"},
	"hidden":     {"the page sees nothing of it", "ページからは何も見えない"},

	"why preflight": {"why a preflight", "プリフライトの理由"},
	"rule":          {"rule", "規則"},
	"sent":          {"sent", "送信値"},
	"nothing":       {"(nothing)", "（なし）"},
	"says":          {"says", "詳細"},
	"mend":          {"mend", "直し方"},
	"in the page":   {"in the page", "ページ側"},
	"remark":        {"note", "補足"},
	"consoles":      {"what the consoles say", "各ブラウザーのコンソール表示"},
	"silent":        {"(says nothing)", "（何も表示しない）"},
	"browsers":      {"browsers", "ブラウザーの違い"},
	"step":          {", step {value}", " の手順 {value}"},
	"session": {
		"{length} requests, {works} of them fetched by scripts; blocked: {blocked}.",
		"リクエスト {length} 件のうち、スクリプトによる fetch は {works} 件、ブロックされたものは {blocked} 件です。",
	},
	"for servers": {"--server NAME writes it for another server: {value}", "--server NAME で別のサーバー向けに表示: {value}"},
}

// SessionSummary says how much of a recorded session is blocked.
func SessionSummary(l Language, requests, fetches, blocked int) string {
	return labels["session"].in(l, facts{"length": strconv.Itoa(requests), "works": strconv.Itoa(fetches), "blocked": strconv.Itoa(blocked)})
}
