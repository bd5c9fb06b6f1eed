package policyfile_test

import (
	"errors"
	"flag"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/policyfile"
)

var update = flag.Bool("u", false, "rewrite the golden files")

func TestEveryKeyReachesItsField(t *testing.T) {
	upstream := &url.URL{Scheme: "http", Host: "localhost:3000"}
	policy := cors.Policy{
		Origins:        []string{"https://app.example.com", "https://*.example.com"},
		Methods:        []string{"PUT"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Request-Id"},
		Credentials:    true,
		MaxAge:         90 * time.Minute,
	}
	down := policy
	down.MaxAge = 10 * time.Minute
	want := &policyfile.File{Upstream: upstream, Routes: []policyfile.Route{
		{Pattern: "/", Upstream: upstream, Policy: policy},
		{Pattern: "/down/", Upstream: &url.URL{Scheme: "https", Host: "down.example.com:8443", Path: "/base"}, Policy: down},
		{Pattern: "api.example.com/v1/", Upstream: &url.URL{Scheme: "h2c", Host: "127.0.0.1:9000"}, UpstreamHeaders: edge.Fill, Shadow: true,
			Policy: cors.Policy{
				Origins:           []string{"https://app.example.com", "https://*.example.com", "null", "http://intranet.example"},
				Methods:           []string{"GET", "PUT"},
				RequestHeaders:    []string{"*"},
				Credentials:       true,
				MaxAge:            -1,
				PreflightStatus:   200,
				RefusedStatus:     204,
				PrivateNetwork:    true,
				InsecureAllowNull: true,
				InsecureAllowHTTP: true,
			}},
		{Pattern: "/public/", Upstream: upstream, UpstreamHeaders: edge.Keep,
			Policy: cors.Policy{Origins: []string{"*"}, ExposedHeaders: []string{"*"}}},
		{Pattern: "/preview/", Upstream: upstream,
			Policy: cors.Policy{Origins: []string{"https://*.github.io"}, InsecureAllowPublicSuffix: true}},
		{Pattern: "/any/", Upstream: upstream,
			Policy: cors.Policy{Origins: []string{"*"}, Credentials: true, InsecureReflectAnyOrigin: true}},
		{Pattern: "/metrics", Upstream: upstream},
	}}
	got, err := policyfile.Load("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, sameFile); diff != "" {
		t.Errorf("Load (-want +got):\n%s", diff)
	}
	if _, err := cors.NewRoutes(got.Policies()); err != nil {
		t.Errorf("NewRoutes refuses what Load accepts: %v", err)
	}
}

func TestLinesMayEndAsOnOtherSystems(t *testing.T) {
	text, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := policyfile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]string{
		"CR LF":           strings.ReplaceAll(string(text), "\n", "\r\n"),
		"byte order mark": "\ufeff" + string(text),
		"no last newline": strings.TrimSuffix(string(text), "\n"),
	} {
		got, err := policyfile.Parse([]byte(other))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got, sameFile); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cors.yaml")
	if _, err := policyfile.Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of a file that is not there: %v, want %v", err, fs.ErrNotExist)
	}
	if err := os.WriteFile(path, []byte("routes: {}\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := policyfile.Load(path)
	if want := path + `:1:9: routes: there is no route; write a route such as "/api/:", and its policy below it, indented`; err == nil || err.Error() != want {
		t.Errorf("Load: %v, want %s", err, want)
	}
}

// Each file in testdata/bad ends with the messages that it gets, as comments.
func TestMistakesAreToldWithPlaceValueAndMend(t *testing.T) {
	const mark = "\n#> "
	for _, path := range glob(t, "testdata/bad/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text, want, _ := strings.Cut(string(data), mark)
		text += "\n"
		f, err := policyfile.Parse([]byte(text))
		if err == nil {
			t.Errorf("%s is accepted: %+v", path, f)
			continue
		}
		got := strings.ReplaceAll(err.Error(), "\n", mark)
		if want = strings.TrimSuffix(want, "\n"); got == want {
			continue
		}
		if *update {
			if err := os.WriteFile(path, []byte(text[:len(text)-1]+mark+got+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s: got\n#> %s\nwant\n#> %s", path, got, want)
	}
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no file matches %s (%v)", pattern, err)
	}
	return paths
}
