package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
	"github.com/crossorigin/cors/policyfile"
)

// maxChanges is how many kinds of requests a replay lists.
const maxChanges = 100

// A replay is what becomes of requests that were observed, once another policy
// is in force.
type replay struct {
	Requests int      `json:"requests"` // that both policies were asked about
	Left     int      `json:"left"`     // that were too long to be remembered whole
	Refused  int      `json:"refused"`  // that would be refused, and are not now
	Allowed  int      `json:"allowed"`  // that would be allowed, and are not now
	Other    int      `json:"other"`    // that would have another answer else
	Changes  []change `json:"changes"`  // by kind of request, the most of an effect first
	Unlisted int      `json:"unlisted"` // kinds beyond them
}

// A change is what becomes of requests that are alike.
type change struct {
	question
	Effect  string         `json:"effect"` // "refused", "allowed", "passed", "answer", or "upstream"
	Count   int            `json:"count"`
	Before  judgement      `json:"before"`
	After   judgement      `json:"after"`
	Answers []headerChange `json:"answers"` // where Effect is "answer"
}

// A question is what of a request a policy looks at.
type question struct {
	Kind           string `json:"kind"`
	Method         string `json:"method"` // the one to come, for a preflight
	Host           string `json:"host"`
	Path           string `json:"path"`
	Origin         string `json:"origin"`
	RequestHeaders string `json:"requestHeaders"`
}

// A judgement is what one policy makes of a request.
type judgement struct {
	Verdict  string `json:"verdict"` // "allowed", "refused", or "passed": the headers of the service decide
	Reason   string `json:"reason"`
	Name     string `json:"name"`
	Route    string `json:"route"`
	Upstream string `json:"upstream"`
}

// A headerChange is one of the header lines, or the status, of two answers.
type headerChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// newReplay asks both policies about each of the requests.
func newReplay(before, after *policyfile.File, requests []observation) (replay, error) {
	old, err := newJudge(before)
	if err != nil {
		return replay{}, err
	}
	candidate, err := newJudge(after)
	if err != nil {
		return replay{}, err
	}
	r := replay{Changes: []change{}}
	alike := make(map[question]*change)
	for _, o := range requests {
		if o.Cut {
			r.Left++
			continue
		}
		r.Requests++
		was, wasAnswer := old.judge(o)
		is, isAnswer := candidate.judge(o)
		answers := changesOf(wasAnswer, isAnswer)
		effect := ""
		switch {
		case was.Verdict != is.Verdict:
			effect = is.Verdict
		case is.Verdict != "passed" && len(answers) > 0:
			effect = "answer"
		case was.Upstream != is.Upstream:
			effect = "upstream"
		default:
			continue
		}
		switch effect {
		case "refused":
			r.Refused++
		case "allowed":
			r.Allowed++
		default:
			r.Other++
		}
		key := questionOf(o)
		if alike[key] == nil {
			alike[key] = &change{question: key, Effect: effect, Before: was, After: is}
			if effect == "answer" {
				alike[key].Answers = answers
			}
		}
		alike[key].Count++
	}
	for _, c := range alike {
		r.Changes = append(r.Changes, c.visible())
	}
	slices.SortFunc(r.Changes, func(a, b change) int {
		return cmp.Or(effectOrder[a.Effect]-effectOrder[b.Effect], b.Count-a.Count,
			cmp.Compare(a.Origin, b.Origin), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.RequestHeaders, b.RequestHeaders))
	})
	if n := len(r.Changes); n > maxChanges {
		r.Changes, r.Unlisted = r.Changes[:maxChanges], n-maxChanges
	}
	return r, nil
}

// effectOrder has what breaks pages before what opens the service to them.
var effectOrder = map[string]int{"refused": 0, "allowed": 1, "passed": 2, "answer": 3, "upstream": 4}

func questionOf(o observation) question {
	a := question{Kind: o.Kind.String(), Method: o.Method, Host: o.Host, Path: o.Path, Origin: o.Origin, RequestHeaders: o.RequestHeaders}
	if o.Kind == cors.Preflight {
		a.Method = o.RequestMethod
	}
	return a
}

// visible is c as it may be shown: all of it but the routes and upstreams has
// come from clients.
func (c change) visible() change {
	for _, text := range []*string{&c.Method, &c.Host, &c.Path, &c.Origin, &c.RequestHeaders, &c.Before.Name, &c.After.Name} {
		*text = visible(*text)
	}
	for i := range c.Answers {
		c.Answers[i].Before, c.Answers[i].After = visible(c.Answers[i].Before), visible(c.Answers[i].After)
	}
	return c
}

// A judge says what a gateway with a file does with requests.
type judge struct {
	policies *cors.Routes
	routes   map[string]policyfile.Route
	none     policyfile.Route
}

func newJudge(f *policyfile.File) (judge, error) {
	policies, err := cors.NewRoutes(f.Policies())
	if err != nil {
		return judge{}, err
	}
	j := judge{policies: policies, routes: make(map[string]policyfile.Route, len(f.Routes)), none: policyfile.Route{Upstream: f.Upstream}}
	for _, r := range f.Routes {
		j.routes[r.Pattern] = r
	}
	return j, nil
}

// judge returns the verdict, and the headers of the answer with its status as
// one of them.
func (j judge) judge(o observation) (judgement, http.Header) {
	d := j.policies.Decide(context.Background(), o.Host, o.Path, o.request())
	route, ok := j.routes[d.Route]
	if !ok {
		route = j.none
	}
	verdict := judgement{Verdict: "refused", Reason: d.Reason.String(), Name: d.Name, Route: d.Route}
	if d.Allowed {
		verdict.Verdict = "allowed"
	}
	if route.Upstream != nil {
		verdict.Upstream = route.Upstream.String()
	}
	// Whether the service itself speaks of CORS, which fill asks, is not known.
	if passes(route, d.Kind) {
		return judgement{Verdict: "passed", Reason: "none", Route: verdict.Route, Upstream: verdict.Upstream}, nil
	}
	answer := make(http.Header)
	d.Apply(answer)
	answer.Del("Vary") // it is for caches
	if d.Kind == cors.Preflight {
		answer.Set("Status", strconv.Itoa(d.Status()))
	}
	return verdict, answer
}

// changesOf returns in what two answers differ, by name.
func changesOf(before, after http.Header) []headerChange {
	var all []headerChange
	add := func(name string) {
		was, is := strings.Join(before.Values(name), ", "), strings.Join(after.Values(name), ", ")
		if was != is {
			all = append(all, headerChange{name, was, is})
		}
	}
	for name := range before {
		add(name)
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			add(name)
		}
	}
	slices.SortFunc(all, func(a, b headerChange) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// passes reports whether what the service itself says of CORS holds, whatever the
// policy of route is.
func passes(route policyfile.Route, kind cors.Kind) bool {
	return route.Shadow || route.UpstreamHeaders == edge.Keep && kind != cors.Preflight
}
