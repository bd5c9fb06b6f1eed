package routes_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/crossorigin/cors/internal/routes"
)

// Package cors tests what patterns match; this is what it does not ask.
func TestAPathOfTwoReadingsHasTheRouteOfServeMux(t *testing.T) {
	var table routes.Table[string]
	for _, p := range []string{"/", "/api/", "/api/admin/"} {
		if err := table.Add(p, "of "+p); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		target, want string
		certainty    routes.Certainty
	}{
		{"/api/x", "of /api/", routes.Certain},
		{"/x//y", "of /", routes.Certain},
		{"/api//admin/x", "of /api/admin/", routes.IfCleaned},
		{"/api/x/../admin/", "of /api/admin/", routes.IfCleaned},
		{"/api/admin%2Fx", "of /api/", routes.Uncertain},
		{"/api/%61dmin/x", "of /api/admin/", routes.Uncertain},
		{`/api/x\..\..\`, "of /api/", routes.Uncertain},
		{"/api;x/y", "of /", routes.Uncertain},
	}
	for _, tt := range tests {
		u, err := url.ParseRequestURI(tt.target)
		if err != nil {
			t.Fatal(err)
		}
		r, certainty := table.Find("x", u)
		if r == nil || r.Value != tt.want || certainty != tt.certainty {
			t.Errorf("%s: %+v, certainty %d; want %q, %d", tt.target, r, certainty, tt.want, tt.certainty)
		}
	}
}

func TestARefusedPatternIsNotAdded(t *testing.T) {
	var table routes.Table[int]
	var fault *routes.Fault
	if err := table.Add("/a", 1); err != nil {
		t.Fatal(err)
	}
	if err := table.Add("/a", 2); !errors.As(err, &fault) || fault.Reason == "" || fault.Fix == "" {
		t.Errorf("a pattern twice: %v, want a Fault", err)
	}
	if r, _ := table.Find("", &url.URL{Path: "/a"}); r.Value != 1 {
		t.Errorf("the value is %d, want the first", r.Value)
	}
	var empty routes.Table[int]
	if r, certainty := empty.Find("x", &url.URL{Path: "/a"}); r != nil || certainty != routes.Certain {
		t.Errorf("an empty table: %v, %d; want nothing for certain", r, certainty)
	}
}
