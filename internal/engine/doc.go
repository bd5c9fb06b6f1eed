// Package engine runs the servers that people put in front of theirs, for tests.
//
//	p, err := engine.Nginx.Start(t.TempDir(), engine.Config{Inside: "return 204;"})
//	defer p.Close()
//	http.Get(p.URL)
package engine
