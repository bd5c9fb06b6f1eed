package explain_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossorigin/cors/explain"
)

// The pages in docs show what is really said, in text and in drawings.
func TestDocsShowWhatIsSaid(t *testing.T) {
	s := find("method-not-listed")
	for page, l := range map[string]explain.Language{"explain.md": explain.English, "explain.ja.md": explain.Japanese} {
		t.Run(page, func(t *testing.T) {
			d := s.ask(t)
			file := filepath.Join("..", "docs", page)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			said := told(d.Text(explain.Amount{Language: l, Consoles: browsers}))
			const fence = "\n```\n"
			begin := strings.Index(string(text), "$ cors explain https://api.example.com/users -X PUT")
			if begin < 0 {
				t.Fatalf("%s shows no command", file)
			}
			begin += strings.Index(string(text[begin:]), "\n") + 1
			end := begin + strings.Index(string(text[begin:]), fence)
			golden(t, filepath.Join("..", file), string(text[:begin])+strings.TrimSuffix(said, "\n")+string(text[end:]))
			golden(t, filepath.Join("..", strings.TrimSuffix(file, ".md")+".svg"), string(d.SVG(l)))
		})
	}
}

// told is lines as they stand in a document.
func told(lines []explain.Line) string { return strings.TrimSpace(text(lines)) + "\n" }
