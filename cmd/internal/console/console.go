package console

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/netutil"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/policyfile"
)

// Options say what a console is of.
type Options struct {
	// Address is the host and port under which browsers reach the console, as in
	// "localhost:8081". A loopback one may also be called by its other names.
	Address string

	// Gateway is the origin under which they reach the gateway. Without one the
	// console is a place to learn and to play.
	Gateway string

	// Policy returns what is in force.
	Policy func() Policy

	// Apply puts text into force in place of base, or says why not and changes
	// nothing: [ErrChanged], or an error that holds a *policyfile.Error for each
	// mistake. Nil means that the policy is only to be looked at.
	Apply func(base, text []byte) error

	// Browser returns the engine that fetches beside the visitor's browser and
	// behaves as that one; nil means one without content codings of its own.
	Browser func(fetch.Profile) *fetch.Browser

	// Roots are the authorities that the engine trusts to certify the gateway; nil
	// means those of the system.
	Roots *x509.CertPool

	// Examples are requests to the gateway that the page of decisions offers to
	// send.
	Examples []Example

	// Token is what lets a browser in: "" means that New makes one.
	Token string
}

// An Example is a request that a page sends as a script does.
type Example struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// JSON is what a script reads of e.
func (e Example) JSON() string { return string(toJSON(e)) }

// ErrChanged says that the policy in force is no longer the one that was edited.
var ErrChanged = errors.New("the policy has been changed meanwhile: load it again, and repeat the edit")

// A Policy is one that a gateway has in force.
type Policy struct {
	Text []byte           // of the cors.yaml; nil where the policy comes from flags
	Path string           // of that file, or "" where there is none
	File *policyfile.File // what it says
}

// A Console is the page, and what it remembers of the decisions. It is safe for
// concurrent use.
type Console struct {
	options Options
	port    string
	memory  *memory
	live    *live
	panels  []panel
	engines engines
	stages  stages
	handler http.Handler
}

//go:embed page
var files embed.FS

// A panel is one page of the console.
type panel struct {
	name    string                                 // also its path
	shown   func(Options) bool                     // whether a console has it; nil means that each has
	shares  []string                               // with other panels: names of words, and of styles if there are any
	connect func(*Console, *http.Request) []string // what its script connects to beside the console: sources of CSP; may be nil
	data    func(*Console, *http.Request) any      // for its template; may be nil
	mount   func(*Console, *http.ServeMux)         // registers what its script asks for; may be nil
	styles  bool                                   // its script makes styles, and gives them the view's Nonce
}

// panels are in the order of the tabs.
var panels = []panel{
	{name: "live", shown: hasGateway, connect: liveConnects, data: liveData, mount: mountLive},
	{name: "try", shown: hasGateway, shares: []string{"verdict"}, connect: tryConnects, data: tryData, mount: mountTry},
	{name: "policy", shown: hasGateway, data: policyData, mount: mountPolicy, styles: true},
	{name: "play", shown: hasNoGateway, shares: []string{"verdict", "examples"}, connect: stageConnects, data: playData, mount: mountPlay},
	{name: "learn", shares: []string{"verdict", "examples"}, connect: stageConnects, data: learnData, mount: mountLearn},
}

func hasGateway(o Options) bool   { return o.Gateway != "" }
func hasNoGateway(o Options) bool { return o.Gateway == "" }

// New returns the console of a gateway.
func New(o Options) (*Console, error) {
	_, port, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, fmt.Errorf("the console's address: %w", err)
	}
	if o.Token == "" {
		o.Token = rand.Text()
	}
	c := &Console{options: o, port: port, memory: newMemory()}
	c.live = newLive(c.memory, o.Policy)
	for _, p := range panels {
		if p.shown == nil || p.shown(o) {
			c.panels = append(c.panels, p)
		}
	}
	c.handler = c.guard(c.routes())
	return c, nil
}

// Origin is that of the console's pages.
func (c *Console) Origin() string { return "http://" + c.options.Address }

// URL is what to open in a browser. Who has it has the console.
func (c *Console) URL() string {
	return c.Origin() + "/?token=" + url.QueryEscape(c.options.Token)
}

func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// maxConns is how many connections the console keeps open: each page has one for
// its events, and few for what else it asks.
const maxConns = 256

// Serve answers on l until ctx is done, and keeps the history that it shows.
func (c *Console) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer c.stages.close()
	s := &http.Server{
		Handler:           c,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(io.Discard, "", 0), // what clients do wrong is theirs
	}
	go c.live.run(ctx)
	context.AfterFunc(ctx, func() { s.Close() })
	if err := s.Serve(netutil.LimitListener(l, maxConns)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/"+c.panels[0].name, http.StatusSeeOther)
	})
	mux.Handle("GET /page/", http.FileServerFS(assets{files}))
	for i := range c.panels {
		p := &c.panels[i]
		mux.Handle("GET /"+p.name, c.page(p))
		if p.mount != nil {
			p.mount(c, mux)
		}
	}
	return mux
}

// A view is what the templates show.
type view struct {
	Panel   string
	Panels  []panel
	Gateway string
	Edit    bool
	Lang    string
	Data    any    // of the panel
	Nonce   string // of styles, or ""
	Styles  []string

	words map[string]string
}

// Name is for the templates, which range over panels.
func (p panel) Name() string { return p.name }

// T is a word of the panel or of the layout.
func (v view) T(key string) (string, error) {
	if word, ok := v.words[key]; ok {
		return word, nil
	}
	return "", fmt.Errorf("there is no word for %q", key)
}

// Has reports whether the console has a panel.
func (v view) Has(name string) bool {
	return slices.ContainsFunc(v.Panels, func(p panel) bool { return p.name == name })
}

// sheets are the names of p's style sheets, those that are shared first.
func (p *panel) sheets() []string {
	var names []string
	for _, name := range append(slices.Clone(p.shares), p.name) {
		if _, err := fs.Stat(files, "page/"+name+".css"); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// Words are for the script.
func (v view) Words() map[string]string { return v.words }

func (c *Console) page(p *panel) http.Handler {
	t := template.Must(template.ParseFS(files, "page/layout.html", "page/request.html", "page/verdict.html", "page/"+p.name+".html"))
	styles := p.sheets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang, chosen := c.language(r)
		if chosen {
			http.SetCookie(w, c.cookie("lang", lang))
			http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
			return
		}
		v := view{Panel: p.name, Panels: c.panels, Gateway: c.options.Gateway, Edit: c.options.Apply != nil, Lang: lang, Styles: styles, words: words()[lang][p.name]}
		if p.styles {
			v.Nonce = rand.Text()
		}
		if p.data != nil {
			v.Data = p.data(c, r)
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Language", lang)
		h.Set("Content-Security-Policy", c.policyOf(p, r, v.Nonce))
		t.ExecuteTemplate(w, "layout.html", v) // an error is the client's, who has gone
	})
}
