package standard_test

// The prose of docs/conformance.md.

const opening = `
# Conformance

Package [fetch](../fetch) is the browser's half of CORS. Its authority is the [Fetch Standard](https://fetch.spec.whatwg.org/), as of commit
COMMIT; what Chromium, Firefox and WebKit really do is its second witness. Where the two differ, the profile
[Standard](../fetch/profile.go) does what the standard says, and the profile of the browser has a named quirk.

This page is written by a test from the code, the text of the standard and the recordings: each function names the section that it implements
by its anchor, each test the sections that it proves. The same test fails where an anchor or a step does not exist, where steps are taken out of
order, where an algorithm is neither implemented nor left out for a reason, and where one that is implemented is cited by no test.

Beside the tests named below, all of it is played against the recorded scenarios in [internal/scenario](../internal/scenario): what the page sees,
and each request on the wire, must be the same as in the browser.
`

const leftOutOpening = `
Of the standard's algorithms these have no function here. None of them decides whether a response may be read.

What other standards put into these algorithms has no place here either, because a page here is no document and has no history: service workers,
preloads, Content Security Policy, Integrity Policy, HSTS and HTTPS records (main fetch, steps 4, 5 and 10 to 12; HTTP fetch, step 3).
*Opaque-response blocking* is no part of the Fetch Standard yet; what is, blocking by MIME type and by nosniff, is above.
The range-requested flag (main fetch, step 21) can only be set where a service worker hands a response on.
`

const codesOpening = `
A fetch that is blocked returns a [BlockedError](../fetch/blocked.go): in a browser the page learns only that it failed. Each way has a code, and
the steps at which the standard takes it. [TestBlocked](../fetch/blocked_test.go) reaches each from a page.
`

const differencesOpening = `
Of the recorded scenarios, these are read differently by the standard than by all three browsers, which do the same. Every verdict of the profile
Standard is what the standard says.
`

const quirksOpening = `
The profiles of the browsers are the standard with these quirks. A trace names each as it makes a difference. A scenario is one, in the recordings,
that shows it; where there is none, the recordings of random scenarios do.
`

const reporting = `
## Reporting a modelling bug

A browser does something that its profile does not? Send a [scenario](../internal/scenario/scenario.go), which is one JSON object on one line, the
browser and its version. The page is at {A}; {B} and {C} are other origins, {D} is another site; /0, /1 and so on are the hops:

` + "```json" + `
{"id": "mine-1", "fetches": [{"url": "{B}/0", "method": "PUT", "headers": [["X-A", "1"]], "credentials": "include"}], "hops": [{"preflight": {"status": 204, "headers": [["Access-Control-Allow-Origin", "{A}"], ["Access-Control-Allow-Methods", "PUT"]]}, "actual": {"status": 200, "headers": [["Access-Control-Allow-Origin", "{A}"]], "body": "hello"}}]}
` + "```" + `

To see what a profile makes of it:

` + "```sh" + `
go run ./internal/replay -profile firefox -pipes SCENARIO.jsonl OUT.jsonl
` + "```" + `

and what the browser does, where it is installed:

` + "```sh" + `
go run ./internal/record -browser firefox SCENARIO.jsonl RECORDING.jsonl
go run ./internal/replay -profile firefox -pipes -compare RECORDING.jsonl -v SCENARIO.jsonl
` + "```" + `

A disagreement with the standard is best reported with the anchor and the step: every [BlockedError](../fetch/blocked.go) names its own.
`
