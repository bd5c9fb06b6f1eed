package audit_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/audit"
)

// A handler that thinks that every origin which ends like its own is one of its
// own, and forgets that caches are told.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o := r.Header.Get("Origin"); len(o) > 11 && o[len(o)-11:] == "example.com" {
			w.Header().Set("Access-Control-Allow-Origin", o)
		}
	}))
	defer server.Close()

	policy := cors.Policy{Origins: []string{"https://*.example.com"}}
	plan, err := audit.NewPlan(map[string]cors.Policy{"/{$}": policy}, audit.Target{URL: server.URL})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range plan.Verify(context.Background(), nil).Results {
		if r.Verdict == audit.Broken && r.Route != "" {
			fmt.Println(r.Expect)
		}
	}
	// Output:
	// https://evilexample.com may not read: it only ends like https://*.example.com
	// https://example.com may not read: it is the parent, not below it as https://*.example.com
	// http://cors-verify.example.com may not read: its scheme is not that of https://*.example.com
	// answers that depend on Origin have Vary: Origin
}
