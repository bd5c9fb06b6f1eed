package explain_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/crossorigin/cors/explain"
	"github.com/crossorigin/cors/fetch"
)

func ExampleDiagnose() {
	answer := says(200, "Access-Control-Allow-Origin", "https://app.example.com/")
	browser := &fetch.Browser{Transport: web(always(answer))}
	page := browser.Open("https://app.example.com/")
	req := &fetch.Request{URL: "https://api.example.com/users"}
	_, err := page.Fetch(context.Background(), req)

	var blocked *fetch.BlockedError
	if errors.As(err, &blocked) {
		d := explain.Diagnose(explain.Question{Page: page.URL, Request: req}, explain.Result{Blocked: blocked})
		fmt.Println(d.Cause)
		fmt.Println(d.Sentence(explain.English))
		fmt.Println(d.Sentence(explain.Japanese))
		fmt.Println(d.Mend(explain.English))
		fmt.Println(d.Console(fetch.WebKit)[0])
	}
	// Output:
	// origin-slash
	// Access-Control-Allow-Origin ends in a slash, and an origin has no path.
	// Access-Control-Allow-Origin の末尾にスラッシュがあります。オリジンにパスはありません。
	// send Access-Control-Allow-Origin: https://app.example.com, without the slash at the end: an origin has no path
	// Origin https://app.example.com is not allowed by Access-Control-Allow-Origin. Status code: 200
}

func ExampleRecognise() {
	heard := explain.Recognise(`Access to fetch at 'https://api.example.com/users' from origin 'https://app.example.com' has been blocked by CORS policy: Method PUT is not allowed by Access-Control-Allow-Methods in preflight response.`)
	for _, h := range heard {
		d := h.Diagnose(false)
		fmt.Println(h.Browser, h.Key)
		fmt.Println(d.Mend(explain.English))
	}
	// Output:
	// chromium MethodDisallowedByPreflightResponse
	// add PUT to Access-Control-Allow-Methods
}
