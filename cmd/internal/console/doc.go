// Package console is a page on which an operator sees what a gateway decides,
// tries requests against it, and edits its policy.
//
//	c, err := console.New(console.Options{Address: "localhost:8081", Gateway: "http://localhost:8080", Policy: policy})
//	g, err := gateway.New(config, gateway.Options{Observe: c.Observe})
//	fmt.Println(c.URL())      // http://localhost:8081/?token=…
//	err = c.Serve(ctx, listener)
//
// # Who may
//
// Everything is behind a token, which the URL that is printed holds. A page
// that is opened with it gets a cookie instead, HttpOnly and SameSite=Strict,
// and an address without it. Beyond that a request has to name the console in
// Host, must not come from another origin or site, and where it is not GET has
// to say X-Cors-Console: 1 and its Origin; guard.go has all of it. No response
// carries a header of CORS.
//
// # Panels
//
// A panel is a page of its own: a row of panels in console.go, and under page/
// four files of its name:
//
//	NAME.html      a template that defines "panel"; {{.T "key"}} is a word, {{.Data}} what the row's data func returned
//	NAME.js        a module that layout.html loads; page.js is what panels share
//	NAME.css       what only this panel needs; layout.css has colours and controls, verdict.css what Try, Learn and play share
//	NAME.en.json   words by key, for the template and, through word() of page.js, for the module
//	NAME.ja.json   the same keys
//
// Words and styles that it shares with other panels are named in shares, and
// whether a console has it, in shown: play is there without a gateway alone.
//
// Its routes are registered by its mount func on the mux, below its own path:
// GET /live/events. They are behind the guard already. A policy's text and
// what becomes of it are behind [Options]; what was observed is behind
// [Console.last]. There is no inline script or style: the Content-Security-Policy
// would refuse them. A panel that connects to more than the console says so in
// connect; one whose script makes style elements says so in styles, and gives
// them {{.Nonce}}. What is other people's is in page/vendor, which bundle/ makes.
// All files below page/ are served at /page/.
//
// # Verdicts
//
// In Try, Learn and play the visitor's browser fetches first, from the page, and
// then the engine, package fetch, with the profile of that browser; engine.go has
// what it may connect to. The messages are beside mountTry and mountStage. What
// Learn and play fetch from is a [scenario.Stage], which play.go opens when one of
// the two is looked at for the first time.
//
// # Messages of Live
//
// GET /live/events?text=&verdict=&kind=&reason= is a stream of server-sent
// events, four times a second at most, whose data is JSON:
//
//	event: decisions   {"decisions": [decision…], "skipped": 0}   the oldest first; skipped matched and are not told
//	event: counts      {"allowed": 0, "refused": 0, "notCORS": 0, "perSecond": 0.0}
//	event: origins     {"origins": [origin…], "of": 1000, "others": 0}   who was refused most among the last refusals
//
// The first events tell what is kept of the past. A decision is:
//
//	{"id": 1, "time": "2026-11-25T16:00:00.000Z", "kind": "preflight", "allowed": false, "reason": "method", "name": "DELETE",
//	 "origin": "https://app.example.com", "method": "DELETE", "host": "…", "path": "/users/1", "route": "/", "shadow": false}
//
// An origin is:
//
//	{"origin": "https://app.example.com", "reason": "method", "name": "DELETE", "route": "/", "count": 17, "last": "2026-11-25T16:00:00.000Z",
//	 "mend": {"route": "/", "lines": ["methods: [PUT, DELETE]"], "flags": ["--method DELETE"], "refused": ""}}
//
// mend is what would allow it: lines below its route in the file, or flags
// where there is no file. Where nothing would, both are empty, and refused may
// say why. All texts that clients send come with what could harm a terminal or
// mislead a reader escaped; they are still no markup.
//
// GET /live/history?span=5m (1h, 24h) is what a chart shows:
//
//	{"step": 1, "times": [1764086400…], "series": [{"verdict": "allowed", "reason": "none", "counts": [0…]}…]}
//
// times are in seconds of Unix time, each the beginning of a step; a series of
// which every count is 0 is left out.
//
// # Messages of Policy
//
// A text is sent as it is, and never longer than [policyfile.MaxSize].
//
//	GET  /policy/state   what is in force: {"text", "tag", "path", "undo": 0}; 304 where If-None-Match has its tag
//	POST /policy/check   a text → {"mistakes": [{"line", "column", "value", "text"}…], "replay": replay}
//	POST /policy/apply   a text, and If-Match with the tag of the one that was edited → a state, as above
//	POST /policy/undo    If-Match → a state
//
// A change that is refused has changed nothing: 422 with the mistakes, 412 where
// the tag is no longer that of what is in force, 413, or 403 where there is no
// [Options.Apply]. What a replay holds, replay.go says.
package console
