package table

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/export"
)

// recorded are the records, in the order in which they are shown.
var recorded = []string{"serve", "nginx", "haproxy", "apache", "caddyfile", "caddy-module", "workers", "traefik", "envoy-processor"}

// topics says what [Topics] are, in each language.
var topics = map[string]map[string]string{
	"origins":          {"en": "origins, their near misses, `null`", "ja": "オリジン、紛らわしいもの、`null`"},
	"methods":          {"en": "methods", "ja": "メソッド"},
	"request-headers":  {"en": "request headers", "ja": "リクエストヘッダー"},
	"private-network":  {"en": "private networks", "ja": "プライベートネットワーク"},
	"routes":           {"en": "routes by host and path", "ja": "ホストとパスによるルート"},
	"upstream-headers": {"en": "upstreams that speak, fail, or are down", "ja": "自ら語る、失敗する、停止した上流"},
	"shadow":           {"en": "shadow", "ja": "shadow"},
	"paths":            {"en": "paths that can be read in two ways", "ja": "二通りに読めるパス"},
	"lines":            {"en": "headers that come twice, or empty", "ja": "二度来る、または空のヘッダー"},
}

// TestDocs holds the parts of the pages that are made of records to them.
func TestDocs(t *testing.T) {
	for _, name := range []string{"engines.md", "engines.ja.md", "idioms.md", "idioms.ja.md"} {
		path := filepath.Join("..", "..", "docs", name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		language := "en"
		if strings.HasSuffix(name, ".ja.md") {
			language = "ja"
		}
		part := regexp.MustCompile(`(?s)<!-- ([a-z]+)(?: ([a-z.-]+))? -->\n.*?<!-- end -->`)
		got := part.ReplaceAllStringFunc(string(text), func(whole string) string {
			m := part.FindStringSubmatch(whole)
			begin, _, _ := strings.Cut(whole, "\n")
			return begin + "\n" + written(t, m[1], m[2], language) + "<!-- end -->"
		})
		if *updateDocs {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(string(text), got); diff != "" {
			t.Errorf("%s is not what the records say (-page +records); -docs rewrites it:\n%s", path, diff)
		}
	}
}

// written is a part of a page.
func written(t *testing.T, part, of, language string) string {
	t.Helper()
	switch part {
	case "targets":
		return targetList(language)
	case "rows":
		return rowCount(t, language)
	case "matrix":
		return matrix(t, language)
	case "deviations":
		return deviations(t)
	case "summary":
		return summary(t)
	case "idiom":
		return shown(t, of)
	case "policy":
		return shownPolicy(map[string]string{"public": public, "some": some}[of])
	}
	t.Fatalf("there is no part %q", part)
	return ""
}

func targetList(language string) string {
	var b strings.Builder
	head := "| `--to` | target | how it is known that it is right |\n|---|---|---|\n"
	if language == "ja" {
		head = "| `--to` | 書き出し先 | 正しさをどう確かめたか |\n|---|---|---|\n"
	}
	b.WriteString(head)
	for _, target := range export.Targets() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", target.Name, target.Title, target.Label)
	}
	return b.String()
}

func rowCount(t *testing.T, language string) string {
	t.Helper()
	rows, err := Rows()
	if err != nil {
		t.Fatal(err)
	}
	fetches := 0
	for _, p := range Policies {
		file, err := p.Parse("http://127.0.0.1:2")
		if err != nil {
			t.Fatal(err)
		}
		fetches += len(visitsTo(p.Name, file))
	}
	if language == "ja" {
		return fmt.Sprintf("%d 個のポリシーについて %d 行の表が、起動できるすべてのサーバーの答えを決めます。さらに、ブラウザー側の実装（パッケージ `fetch`）が `cors serve`、nginx、HAProxy、httpd、Caddy、workerd を通して %d 回ずつ取得し、ページが知ることは判定の中核を通したときと同じです。\n",
			len(Policies), len(rows), fetches)
	}
	return fmt.Sprintf("One table decides: %d rows about %d policies, asked of every engine that can be started. And the browser's half (package `fetch`) fetches\n%d times through each of `cors serve`, nginx, HAProxy, httpd, Caddy and workerd: what pages learn is what they learn by the decision core, but for the findings below.\n", len(rows), len(Policies), fetches)
}

func records(t *testing.T) (all []Record) {
	t.Helper()
	for _, name := range recorded {
		r, err := ReadRecord("records/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func matrix(t *testing.T, language string) string {
	t.Helper()
	var b strings.Builder
	all := records(t)
	b.WriteString("| |")
	for _, r := range all {
		fmt.Fprintf(&b, " %s |", strings.TrimSpace(r.Title+" "+r.Version))
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(all)) + "\n| |")
	for _, r := range all {
		fmt.Fprintf(&b, " *%s* |", r.How)
	}
	b.WriteString("\n")
	for _, topic := range Topics {
		fmt.Fprintf(&b, "| %s |", topics[topic][language])
		for _, r := range all {
			b.WriteString(" " + cell(r.Topics[topic]) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("| **" + map[string]string{"en": "all", "ja": "計"}[language] + "** |")
	for _, r := range all {
		var sum Count
		for _, c := range r.Topics {
			sum.Right += c.Right
			sum.Announced += c.Announced
			sum.Unseen += c.Unseen
			sum.Wrong += c.Wrong
		}
		if sum.Wrong > 0 {
			t.Errorf("%s has %d rows wrong", r.Title, sum.Wrong)
		}
		b.WriteString(" **" + cell(sum) + "** |")
	}
	return b.String() + "\n"
}

func cell(c Count) string {
	s := fmt.Sprint(c.Right)
	if c.Announced > 0 {
		s += fmt.Sprintf(" +%d", c.Announced)
	}
	if c.Unseen > 0 {
		s += fmt.Sprintf(" (%d)", c.Unseen)
	}
	return s
}

func deviations(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, r := range records(t) {
		fmt.Fprintf(&b, "**%s**\n\n", strings.TrimSpace(r.Title+" "+r.Version))
		if len(r.Deviations) == 0 {
			b.WriteString("- none\n")
		}
		for _, d := range r.Deviations {
			fmt.Fprintf(&b, "- %d: `%s` %s: %s.\n", d.Rows, d.Field, d.Effect, strings.TrimSuffix(d.Reason, "."))
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// summary is the table of the idioms, and of what is exported beside them.
func summary(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| | meant | rows | opens | blocks | mixes | changes |\n|---|---|--:|--:|--:|--:|--:|\n")
	line := func(name, meant string, j judgement) {
		fmt.Fprintf(&b, "| %s | %s | %d |", name, meant, j.Rows)
		for _, h := range []Harm{Opens, Blocks, Mixes, Changes} {
			n := fmt.Sprint(j.Harms[harms[h]])
			if n == "0" {
				n = "–"
			}
			b.WriteString(" " + n + " |")
		}
		b.WriteString("\n")
	}
	all := readJudgements(t)
	for _, i := range idioms {
		line("["+i.file+"](#"+strings.ReplaceAll(i.file, ".", "")+")", i.meant, all[i.file])
	}
	for _, e := range Engines {
		for _, meant := range []string{public, some} {
			line("**`cors export --to "+e.Target+"`**", meant, all[e.Target+": "+meant])
		}
	}
	return b.String()
}

// shown is an idiom, and what it comes to.
func shown(t *testing.T, file string) string {
	t.Helper()
	n := slices.IndexFunc(idioms, func(i idiom) bool { return i.file == file })
	if n < 0 {
		t.Fatalf("there is no idiom %q", file)
	}
	text, err := idioms[n].text()
	if err != nil {
		t.Fatal(err)
	}
	language := strings.TrimSuffix(filepath.Ext(file)[1:], "conf")
	if language == "" {
		language, _, _ = strings.Cut(file, "-")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "```%s\n%s```\n\n", language, text)
	j := readJudgements(t)[file]
	for _, h := range []Harm{Opens, Blocks, Mixes, Changes} {
		if name := harms[h]; j.Harms[name] > 0 {
			fmt.Fprintf(&b, "- **%s** %d: %s\n", name, j.Harms[name], strings.Join(quoted(j.Examples[name]), "; "))
		}
	}
	return b.String()
}

// shownPolicy is a policy of the table, without its upstream.
func shownPolicy(name string) string {
	i := slices.IndexFunc(Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return "there is no such policy\n"
	}
	return "```yaml\n" + strings.TrimPrefix(Policies[i].Text, "\nupstream: UPSTREAM\n") + "```\n"
}

// quoted puts what a row says into code, whole where it is short.
func quoted(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = "`" + strings.ReplaceAll(n, "`", "'") + "`"
	}
	return all
}
