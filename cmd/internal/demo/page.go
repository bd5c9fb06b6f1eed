package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

//go:embed page
var files embed.FS

var pages = template.Must(template.ParseFS(files, "page/*.html"))

// texts is what the page says, by language and key.
var texts = map[string]map[string]string{"en": readText("en"), "ja": readText("ja")}

var languages = language.NewMatcher([]language.Tag{language.English, language.Japanese})

func readText(lang string) map[string]string {
	data, err := files.ReadFile("page/text." + lang + ".json")
	if err != nil {
		panic(err)
	}
	var text map[string]string
	if err := json.Unmarshal(data, &text); err != nil {
		panic(err)
	}
	return text
}

// A view is what the templates show.
type view struct {
	Lang, Gateway string
	This, Other   string // origins
	ThisAllowed   bool
	Policy        string
	Tries         []string
	Text          map[string]string
}

// tries are the requests that the page can send, as its script names them.
var tries = []string{"read", "put", "cookie", "missing", "broken", "slow", "delete", "private", "events"}

// newPage returns the page of d. It is served under two origins, of which each
// embeds a frame of the other.
func newPage(d *Demo, gateway string) http.Handler {
	static, err := fs.Sub(files, "page")
	if err != nil {
		panic(err)
	}
	assets := http.FileServerFS(static)
	mux := http.NewServeMux()
	mux.Handle("GET /decisions", d.decisions)
	for _, name := range []string{"demo.js", "frame.js", "send.js", "demo.css", "icon.svg"} {
		mux.Handle("GET /"+name, assets)
	}
	html := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			v := view{Gateway: gateway, This: d.Page, Other: d.Other, ThisAllowed: true, Policy: string(d.Policy), Tries: tries}
			if "http://"+r.Host == d.Other {
				v.This, v.Other, v.ThisAllowed = d.Other, d.Page, false
			}
			v.Lang = "en"
			if _, i := language.MatchStrings(languages, r.Header.Get("Accept-Language")); i == 1 {
				v.Lang = "ja"
			}
			v.Text = texts[v.Lang]
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Language", v.Lang)
			w.Header().Set("Vary", "Accept-Language")
			w.Header().Set("Content-Security-Policy", fmt.Sprintf("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
				"connect-src 'self' %s; frame-src %s; frame-ancestors 'self' %s; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
				gateway, v.Other, v.Other))
			pages.ExecuteTemplate(w, name, v) // an error is the client's, who has gone
		}
	}
	mux.Handle("GET /{$}", html("index.html"))
	mux.Handle("GET /frame", html("frame.html"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A name that someone has pointed at this machine is no name of this page.
		if host := "http://" + strings.ToLower(r.Host); host != d.Page && host != d.Other {
			http.Error(w, "this page is at "+d.Page, http.StatusMisdirectedRequest)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}
