// Package cors is the server's half of CORS: from a [Policy] and a request it
// decides which response headers let a browser hand the response to a page of
// another origin.
//
//	mw, err := cors.New(cors.Policy{
//		Origins:        []string{"https://app.example.com", "https://*.example.com"},
//		Methods:        []string{"PUT", "DELETE"},
//		RequestHeaders: []string{"Authorization", "Content-Type"},
//		Credentials:    true,
//	})
//	if err != nil {
//		log.Fatal(err) // every mistake in the policy at once, each with its mend
//	}
//	http.ListenAndServe(":8080", mw.Wrap(mux))
//
// It does not keep anyone from calling a server: a request that the policy
// refuses still reaches the handler, unless it is a preflight, and what is not a
// browser reads the response. It says which pages a browser lets read it.
//
// https://fetch.spec.whatwg.org/#http-cors-protocol
package cors
