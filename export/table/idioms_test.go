package table

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/internal/engine"
	"github.com/crossorigin/cors/policyfile"
)

// An idiom is what people write by hand, in the style in which they do.
type idiom struct {
	file   string         // in testdata/idioms
	engine *engine.Engine // nil for node
	meant  string         // the policy that it stands for
}

const (
	some   = "credentials for some"
	public = "public, for some methods"
)

var idioms = []idiom{
	{"nginx-star.conf", engine.Nginx, public},
	{"nginx-reflect.conf", engine.Nginx, some},
	{"nginx-regex.conf", engine.Nginx, some},
	{"apache-star.conf", engine.Apache, public},
	{"apache-setenvif.conf", engine.Apache, some},
	{"haproxy-star.conf", engine.HAProxy, public},
	{"haproxy-end.conf", engine.HAProxy, some},
	{"caddy-star.conf", engine.Caddy, public},
	{"caddy-matcher.conf", engine.Caddy, some},
	{"express-default.mjs", nil, public},
	{"express-credentials.mjs", nil, some},
	{"express-list.mjs", nil, some},
}

func (i idiom) text() (string, error) {
	text, err := os.ReadFile(filepath.Join("testdata", "idioms", i.file))
	return string(text), err
}

// start is a subject, whatever the policy.
func (i idiom) start(dir string, file *policyfile.File) (*Server, error) {
	text, err := i.text()
	if err != nil {
		return nil, err
	}
	if i.engine == nil {
		return startExpress(text, file.Upstream.Host)
	}
	p, err := i.engine.Start(dir, engine.Config{Inside: strings.ReplaceAll(text, "UPSTREAM", file.Upstream.Host)})
	if err != nil {
		return nil, err
	}
	return &Server{URL: p.URL, Close: p.Close}, nil
}

// asUpstream has an Express app answer as the upstream does.
const asUpstream = `
import http from "node:http";
app.use((req, res) => {
  const asked = http.request({ host: "127.0.0.1", port: %s, path: req.originalUrl, method: req.method, agent: false }, (answer) => {
    res.status(answer.statusCode);
    for (const [name, values] of Object.entries(answer.headersDistinct)) res.setHeader(name, values);
    answer.pipe(res);
  });
  asked.on("error", () => res.sendStatus(502));
  asked.end();
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
`

func startExpress(text, upstream string) (*Server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	dir, err := express()
	if err != nil {
		return nil, err
	}
	// Beside node_modules, where its imports are looked for.
	app, err := os.CreateTemp(dir, "idiom-*.mjs")
	if err != nil {
		return nil, err
	}
	remove := func() { os.Remove(app.Name()) }
	_, port, _ := strings.Cut(upstream, ":")
	if _, err := fmt.Fprintf(app, text+asUpstream, port); err != nil {
		return nil, err
	}
	if err := app.Close(); err != nil {
		return nil, err
	}
	cmd := exec.Command(node, app.Name())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		cmd.Process.Kill()
		cmd.Wait()
		remove()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return nil, fmt.Errorf("the app does not say where it listens: %w", err)
	}
	return &Server{URL: "http://127.0.0.1:" + strings.TrimSpace(line), Close: stop}, nil
}

// express installs Express and its middleware once.
var express = sync.OnceValues(func() (string, error) {
	packages, err := os.ReadFile("testdata/idioms/package.json")
	if err != nil {
		return "", err
	}
	lock, err := os.ReadFile("testdata/idioms/package-lock.json")
	if err != nil {
		return "", err
	}
	return install("express", packages, lock)
})

// version is that of what runs i, or why it cannot be run.
func (i idiom) version() (string, error) {
	if i.engine != nil {
		return i.engine.Version(), i.engine.Installed()
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", err
	}
	_, err := express()
	return "5.1.0, with cors 2.8.5", err
}

// A judgement is what an idiom comes to.
type judgement struct {
	Version  string              `json:"version"`
	Rows     int                 `json:"rows"` // that a browser would send
	Harms    map[string]int      `json:"harms"`
	Examples map[string][]string `json:"examples"` // of each harm
}

var harms = map[Harm]string{Opens: "opens", Blocks: "blocks", Mixes: "mixes", Changes: "changes"}

func judge(version string, r *Report) judgement {
	j := judgement{Version: version, Harms: map[string]int{}, Examples: map[string][]string{}}
	for h, n := range r.Harms() {
		j.Rows += n
		if h != Nothing {
			j.Harms[harms[h]] = n
		}
	}
	// What anyone could register says most.
	telling := slices.Clone(r.Outcomes)
	slices.SortStableFunc(telling, func(a, b Outcome) int {
		return strings.Count(b.Row.Name, "evil") - strings.Count(a.Row.Name, "evil")
	})
	for _, o := range telling {
		h := harms[o.Harm()]
		if h != "" && o.isBrowsers() && len(j.Examples[h]) < 4 {
			j.Examples[h] = append(j.Examples[h], o.Row.Name)
		}
	}
	return j
}

const judgements = "records/idioms.json"

func readJudgements(t *testing.T) map[string]judgement {
	text, err := os.ReadFile(judgements)
	if err != nil && !*updateIdioms {
		t.Fatal(err)
	}
	all := map[string]judgement{}
	if err == nil {
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

var (
	updateIdioms = flag.Bool("idioms", false, "rewrite the record of the idioms")
	updateDocs   = flag.Bool("docs", false, "rewrite the documentation")
)

// TestIdioms holds what the idioms come to, and what is exported for the same
// policies, to their record.
func TestIdioms(t *testing.T) {
	type subject struct {
		name, meant string
		start       Subject
		version     func() (string, error)
	}
	var subjects []subject
	for _, i := range idioms {
		subjects = append(subjects, subject{i.file, i.meant, i.start, i.version})
	}
	for _, e := range Engines {
		for _, meant := range []string{public, some} {
			subjects = append(subjects, subject{e.Target + ": " + meant, meant, e.Start, idiom{engine: e.Engine}.version})
		}
	}
	record := readJudgements(t)
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, s := range subjects {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				version, err := s.version()
				if err != nil {
					t.Skip(err)
				}
				report, err := RunOn(t.TempDir(), s.start, s.meant)
				if err != nil {
					t.Fatal(err)
				}
				got := judge(version, report)
				mu.Lock()
				defer mu.Unlock()
				if *updateIdioms {
					record[s.name] = got
				} else if diff := cmp.Diff(record[s.name], got); diff != "" && record[s.name].Version == version {
					t.Errorf("%s (rewrite it with -idioms, and then the page with -docs): -record +got:\n%s", judgements, diff)
				}
			})
		}
	})
	if *updateIdioms {
		text, err := json.MarshalIndent(record, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(judgements, append(text, '\n'), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
