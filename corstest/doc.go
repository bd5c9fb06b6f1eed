// Package corstest is a browser inside go test: it tells whether a page of some
// origin gets to read what your handler answers, without a socket.
//
//	page := corstest.From(t, "https://app.example.com", handler)
//	page.Fetch(&fetch.Request{URL: "https://api.example.com/users", Method: "PUT"}).
//		Allowed().
//		Sees("X-Request-Id", "7")
//	page.Open("https://evil.example").Get("https://api.example.com/users").Refused()
//
// Where that fails, the test prints what was asked, what the handler answered,
// which header is wrong by which step of the Fetch Standard, and how to mend it.
package corstest
