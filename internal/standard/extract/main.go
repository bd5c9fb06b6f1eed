// Command extract reads the source of the Fetch Standard, fetch.bs of
// github.com/whatwg/fetch, and writes what package standard knows of it: the
// anchors, and the steps of each algorithm.
//
//	git -C fetch show HEAD:fetch.bs | go run ./internal/standard/extract \
//	    -commit "$(git -C fetch log -1 --format='%H of %cs')" > internal/standard/fetch.txt
//
// Nothing needs it to build or to be tested.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("extract: ")
	commit := flag.String("commit", "", "the commit that is read, as in \"586cd2a of 2026-07-02\"")
	flag.Parse()
	if *commit == "" || flag.NArg() > 0 {
		log.Fatal("name the commit with -commit, and give fetch.bs on standard input")
	}
	if err := extract(os.Stdin, os.Stdout, *commit); err != nil {
		log.Fatal(err)
	}
}

func extract(r io.Reader, w io.Writer, commit string) error {
	doc, err := html.Parse(r)
	if err != nil {
		return fmt.Errorf("reading fetch.bs: %w", err)
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "commit\t%s\n", commit)
	x := extractor{out: out}
	x.walk(doc)
	return out.Flush()
}

// An extractor writes a line for each anchor, in the order of the text. Those of
// the sections and algorithms have more on theirs.
type extractor struct {
	out  io.Writer
	seen map[string]bool
}

func (x *extractor) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		x.element(n)
	}
	for c := range n.ChildNodes() {
		x.walk(c)
	}
}

func (x *extractor) element(n *html.Node) {
	switch n.Data {
	case "h2", "h3", "h4":
		if _, isDefinition := attr(n, "dfn"); !isDefinition {
			x.line("section", anchorOf(n), text(n))
			return
		}
	case "div":
		if _, ok := attr(n, "algorithm"); !ok {
			break
		}
		dfn := find(n, isDefinition)
		if dfn == nil {
			return
		}
		if ol := find(n, func(n *html.Node) bool { return n.Data == "ol" }); ol != nil {
			var steps []string
			appendSteps(&steps, ol, "")
			x.line("algorithm", anchorOf(dfn), text(dfn)+"\t"+strings.Join(steps, " "))
		}
		return
	case "table":
		if strings.HasPrefix(text(n), "PortTypical service") {
			fmt.Fprintf(x.out, "ports\t%s\n", strings.Join(firstColumn(n), " "))
		}
	}
	switch {
	case isDefinition(n):
		x.line("definition", anchorOf(n), text(n))
	case n.Data != "a" && hasAttr(n, "id"):
		x.line("anchor", anchorOf(n), "")
	}
}

func (x *extractor) line(kind, anchor, rest string) {
	if x.seen == nil {
		x.seen = map[string]bool{}
	}
	if anchor == "" || x.seen[anchor] {
		return
	}
	x.seen[anchor] = true
	fmt.Fprintln(x.out, strings.TrimSpace(kind+"\t"+anchor+"\t"+rest))
}

// appendSteps appends the numbers of the steps of ol and of the lists inside. A
// list inside a switch or among bullets counts within the step around it, so
// that a number may come twice.
func appendSteps(steps *[]string, n *html.Node, prefix string) {
	i := 0
	for c := range n.ChildNodes() {
		switch {
		case c.Type != html.ElementNode:
		case n.Data == "ol" && c.Data == "li":
			i++
			number := prefix + strconv.Itoa(i)
			*steps = append(*steps, number)
			appendSteps(steps, c, number+".")
		default:
			appendSteps(steps, c, prefix)
		}
	}
}

func isDefinition(n *html.Node) bool { return n.Data == "dfn" || hasAttr(n, "dfn") }

// anchorOf is the id that Bikeshed gives n: its own, or one made of what it
// defines and for what.
func anchorOf(n *html.Node) string {
	if id, ok := attr(n, "id"); ok {
		return id
	}
	what := text(n)
	if of, _ := attr(n, "for"); hasAttr(n, "method") || hasAttr(n, "attribute") {
		name, _, _ := strings.Cut(what, "(")
		return slug("dom-" + of + "-" + name)
	}
	if lt, ok := attr(n, "lt"); ok {
		what, _, _ = strings.Cut(lt, "|")
	}
	if of, ok := attr(n, "for"); ok && of != "/" {
		of, _, _ = strings.Cut(of, ",")
		what = of + "-" + what
	}
	return slug(what)
}

var unsafe = regexp.MustCompile(`[^a-z0-9_-]+`)

func slug(s string) string {
	s = strings.NewReplacer(" ", "-", "/", "-").Replace(strings.ToLower(s))
	return unsafe.ReplaceAllString(s, "")
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func hasAttr(n *html.Node, name string) bool {
	_, ok := attr(n, name)
	return ok
}

func find(n *html.Node, want func(*html.Node) bool) *html.Node {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && want(c) {
			return c
		}
	}
	return nil
}

// text is what n says, on one line, without the marks of Bikeshed.
func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(strings.NewReplacer("`", "", "{{", "", "}}", "").Replace(b.String())), " ")
}

func firstColumn(table *html.Node) []string {
	var column []string
	for c := range table.Descendants() {
		if c.Data == "tr" {
			if td := find(c, func(n *html.Node) bool { return n.Data == "td" }); td != nil {
				column = append(column, text(td))
			}
		}
	}
	return column
}
