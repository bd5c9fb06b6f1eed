package console

import (
	"encoding/json"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// languages are those of which there are words, the first where nothing is
// asked for.
var languages = []string{"en", "ja"}

var matcher = sync.OnceValue(func() language.Matcher {
	return language.NewMatcher([]language.Tag{language.English, language.Japanese})
})

// words are what pages say, by language, panel and key.
var words = sync.OnceValue(readWords)

func readWords() map[string]map[string]map[string]string {
	all := make(map[string]map[string]map[string]string)
	for _, lang := range languages {
		all[lang] = make(map[string]map[string]string)
		for _, p := range panels {
			all[lang][p.name] = readWord("layout", lang)
			for _, shared := range p.shares {
				maps.Copy(all[lang][p.name], readWord(shared, lang))
			}
			maps.Copy(all[lang][p.name], readWord(p.name, lang))
		}
	}
	return all
}

func readWord(name, lang string) map[string]string {
	data, err := files.ReadFile("page/" + name + "." + lang + ".json")
	if err != nil {
		panic(err) // it is embedded
	}
	var text map[string]string
	if err := json.Unmarshal(data, &text); err != nil {
		panic(name + "." + lang + ".json: " + err.Error())
	}
	return text
}

// language returns the language of the answer to r, and whether the visitor has
// just chosen it.
func (c *Console) language(r *http.Request) (lang string, chosen bool) {
	for _, l := range languages {
		if r.URL.Query().Get("lang") == l {
			return l, true
		}
	}
	if cookie, err := r.Cookie(c.cookieName("lang")); err == nil {
		for _, l := range languages {
			if cookie.Value == l {
				return l, false
			}
		}
	}
	_, i := language.MatchStrings(matcher(), r.Header.Get("Accept-Language"))
	return languages[i], false
}

// assets are the files of page/ that browsers load, and nothing else of it.
type assets struct{ fs.FS }

func (a assets) Open(name string) (fs.File, error) {
	for _, ext := range []string{".js", ".css", ".svg", ".woff2", ".wasm", ".txt"} {
		if strings.HasSuffix(name, ext) {
			return a.FS.Open(name)
		}
	}
	return nil, fs.ErrNotExist
}
