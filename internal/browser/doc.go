// Package browser starts a real browser on a page, with a profile of its own.
//
//	p, err := browser.Start(ctx, browser.Firefox, "http://localhost:8081/")
//	defer p.Close()
//
// What the browser then does is for the page's own script, which tells its
// server: that needs no driver, and is the same in every engine.
package browser
