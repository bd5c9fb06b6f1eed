package corstest

import (
	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
)

// mend says in a sentence what to change.
func mend(r *Result) string {
	if own, ok := mends[r.Blocked.Code]; ok {
		return own
	}
	q := explain.Question{Page: r.page, Request: r.request}
	return explain.Diagnose(q, explain.Result{Blocked: r.Blocked}).Mend(explain.English)
}

// mends holds what to change where a test has other means than a page.
var mends = map[fetch.Code]string{
	fetch.CodeBlobURL: "pages in tests have no blobs; serve the content from a handler",
	fetch.CodeNetwork: "let a handler answer at this host without panicking",
	fetch.CodeAborted: "let the handler answer before the test ends",
}
