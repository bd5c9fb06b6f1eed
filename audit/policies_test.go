package audit_test

import (
	"slices"
	"testing"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

func TestPoliciesAreAskedWithoutANetwork(t *testing.T) {
	tests := []struct {
		row    string
		policy cors.Policy
		want   []string // rules that are broken, but for those that are info
	}{
		{"nothing", cors.Policy{}, nil},
		{"anybody", cors.Policy{Origins: []string{"*"}}, nil},
		{"two origins", cors.Policy{Origins: []string{"https://app.example.com", "https://www.example.org"}, Credentials: true, Methods: []string{"PUT"}, RequestHeaders: []string{"Content-Type"}}, nil},
		{"subdomains", cors.Policy{Origins: []string{"https://*.example.com"}, Credentials: true}, []string{"subdomains"}},
		{"any port", cors.Policy{Origins: []string{"https://app.example.com:*"}, Credentials: true}, []string{"any-port"}},
		{"null", cors.Policy{Origins: []string{"null"}, Credentials: true, InsecureAllowNull: true}, []string{"null"}},
		{"localhost", cors.Policy{Origins: []string{"http://localhost:*"}, Credentials: true}, []string{"localhost", "any-port"}},
		{"a hosting service", cors.Policy{Origins: []string{"https://*.github.io"}, Credentials: true, InsecureAllowPublicSuffix: true}, []string{"shared-hosting", "subdomains"}},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got, err := audit.AuditPolicies(t.Context(), map[string]cors.Policy{"/api/{id}": tt.policy})
			if err != nil {
				t.Fatal(err)
			}
			var rules []string
			for _, f := range got[0].Findings {
				if f.Severity > audit.Info {
					rules = append(rules, f.Rule.ID)
				}
			}
			if len(got) != 1 || got[0].URL != "/api/{id}" || got[0].Unreachable != "" || !slices.Equal(rules, tt.want) {
				t.Errorf("rules: %q, want %q; %+v", rules, tt.want, got[0])
			}
		})
	}
}

func TestRoutesForHostsAreAskedToo(t *testing.T) {
	got, err := audit.AuditPolicies(t.Context(), map[string]cors.Policy{
		"/":                {},
		"api.example.com/": {Origins: []string{"null"}, Credentials: true, InsecureAllowNull: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range got {
		if worst, _ := i.Worst(); (worst == audit.High) != (i.URL == "api.example.com/") || i.Skipped != "" {
			t.Errorf("%s: worst is %s, skipped %q", i.URL, worst, i.Skipped)
		}
	}
}
