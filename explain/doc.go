// Package explain says in words why a fetch is blocked, and how to mend it.
//
//	d := explain.Diagnose(explain.Question{Page: page.URL, Request: req}, explain.Result{Blocked: blocked})
//	fmt.Println(d.Sentence(explain.English))        // The preflight does not list PUT in Access-Control-Allow-Methods.
//	fmt.Println(d.Config(explain.Nginx))            // what to write for nginx
//	fmt.Println(d.Console(fetch.Chromium))          // what Chromium prints
//
// All words live here, in English and Japanese; nothing here prints.
package explain
