// Package fetch is the browser's half of CORS: a client that fetches as a page
// of some origin does, precisely as the Fetch Standard says.
//
//	var b fetch.Browser
//	page := b.Open("https://app.example.com/")
//	res, err := page.Fetch(ctx, &fetch.Request{URL: "https://api.example.com/users", Method: "PUT"})
//	var blocked *fetch.BlockedError
//	if errors.As(err, &blocked) {
//		fmt.Println(blocked.Code, blocked.Step) // what is wrong, and which step of the standard says so
//	}
//
// The files follow the standard's sections: fetch.go, mainfetch.go,
// schemefetch.go, httpfetch.go, redirect.go, networkorcache.go, network.go,
// preflight.go, cache.go, check.go, filter.go.
//
// https://fetch.spec.whatwg.org/
package fetch
