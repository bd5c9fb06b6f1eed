package audit_test

import (
	"strings"
	"testing"

	"github.com/crossorigin/cors/audit"
)

func TestTheProofMakesTheAttack(t *testing.T) {
	tests := []struct {
		server
		want, not []string
	}{
		{server{"an echo", "https://api.target.com/users?a=</script>&b='", "reflect-any", with(anybody)},
			[]string{`"credentials":"include"`, "Serve this page at <code>https://q"}, []string{"a=</script>", "sandbox", "secret"}},
		{server{"null", "", "null", with(only("null"))}, []string{`sandbox="allow-scripts"`, "&#34;credentials&#34;"}, []string{"Serve this page"}},
		{server{"no Referer", "", "reflect-referer", holes[8].handler}, []string{`"referrerPolicy":"no-referrer"`}, nil},
		{server{"X-Forwarded-Host", "", "reflect-forwarded", holes[holeOf("reflect-forwarded")].handler}, []string{`"headers":{"X-Forwarded-Host":"q`}, nil},
		{server{"a preflight", "", "preflight-only", holes[holeOf("preflight-only")].handler}, []string{`"method":"PUT"`, `<button id="go">`, ".onclick = "}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			shown := false
			for _, f := range inspect(t, tt.server).Findings {
				if f.Rule.ID != tt.rule {
					continue
				}
				page, err := f.ProofPage()
				if err != nil {
					t.Fatal(err)
				}
				shown = true
				for _, want := range tt.want {
					if !strings.Contains(string(page), want) {
						t.Errorf("the page lacks %q:\n%s", want, page)
					}
				}
				for _, not := range tt.not {
					if strings.Contains(string(page), not) {
						t.Errorf("the page has %q:\n%s", not, page)
					}
				}
			}
			if !shown {
				t.Errorf("%s is not found", tt.rule)
			}
		})
	}
}

func holeOf(rule string) int {
	for i, s := range holes {
		if s.rule == rule {
			return i
		}
	}
	panic(rule)
}

func TestNoPageShowsWhatHarmsTheServerAlone(t *testing.T) {
	got := inspect(t, server{handler: sets(acao, ours+"/")})
	for _, f := range got.Findings {
		if page, err := f.ProofPage(); f.Reach == audit.Nothing && (page != nil || err != nil) {
			t.Errorf("%s: a page of %d bytes, %v", f.Rule.ID, len(page), err)
		}
	}
}
