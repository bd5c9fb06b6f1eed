package fetch

import (
	"bytes"
	"context"
	"io"

	"github.com/crossorigin/cors/header"
)

// schemeFetch is scheme fetch.
//
// https://fetch.spec.whatwg.org/#concept-scheme-fetch
func schemeFetch(ctx context.Context, r *request) (*response, *BlockedError) {
	const anchor = "concept-scheme-fetch"
	// 1.
	if err := ctx.Err(); err != nil {
		return nil, r.blocked(CodeAborted, anchor, "1").after(err)
	}
	u := r.currentURL()
	switch u.scheme {
	case "about":
		if u.path == "blank" && !r.quirk(aboutBlankRefused) {
			return localResponse("text/html;charset=utf-8", nil), nil
		}
		return nil, r.blocked(CodeAboutURL, anchor, "3")
	case "blob":
		return nil, r.blocked(CodeBlobURL, anchor, "3.2") // no page here makes any
	case "data":
		mimeType, body, err := parseDataURL(u)
		if err != nil {
			return nil, r.blocked(CodeDataURL, anchor, "3.2").after(err)
		}
		return localResponse(mimeType.String(), body), nil
	case "file":
		return nil, r.blocked(CodeFileURL, anchor, "3")
	case "http", "https":
		return httpFetch(ctx, r, false)
	}
	return nil, r.blocked(CodeScheme, anchor, "4")
}

func localResponse(contentType string, body []byte) *response {
	return &response{
		status: 200, statusText: "OK",
		header: []header.Field{{Name: "Content-Type", Value: contentType}},
		body:   io.NopCloser(bytes.NewReader(body)),
	}
}
