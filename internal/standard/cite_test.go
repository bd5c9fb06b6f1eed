package standard_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/crossorigin/cors/internal/standard"
)

// A citation is a place in the code that names an anchor of the standard.
type citation struct {
	anchor string
	steps  []string // that it names, in order
	file   string   // from the root of the repository
	line   int
	name   string // of the declaration around it
	isFunc bool
	inTest bool
}

func (c citation) String() string { return fmt.Sprintf("%s:%d: %s", c.file, c.line, c.name) }

// source is the Go code of the library, read once.
type source struct {
	fset  *token.FileSet
	files map[string]*ast.File
}

const root = "../.."

func readSource(t *testing.T) source {
	t.Helper()
	src, err := parseSource()
	if err != nil {
		t.Fatal(err)
	}
	return src
}

var parseSource = sync.OnceValues(func() (source, error) {
	src := source{token.NewFileSet(), map[string]*ast.File{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		src.files[name], err = parser.ParseFile(src.fset, path, nil, parser.ParseComments)
		return err
	})
	return src, err
})

var fetchURL = regexp.MustCompile(`https://fetch\.spec\.whatwg\.org/#([A-Za-z0-9_?-]*)( steps? ([0-9., toand]*[0-9]))?`)

// citations returns every place where src names an anchor in a comment.
func (src source) citations() []citation {
	var all []citation
	for _, name := range src.names() {
		file := src.files[name]
		for _, group := range file.Comments {
			text := strings.Join(strings.Fields(group.Text()), " ")
			for _, m := range fetchURL.FindAllStringSubmatch(text, -1) {
				declared, isFunc := declarationAt(file, group)
				all = append(all, citation{
					anchor: m[1], steps: stepNumbers.FindAllString(m[3], -1), file: name, line: src.fset.Position(group.Pos()).Line,
					name: declared, isFunc: isFunc, inTest: strings.HasSuffix(name, "_test.go"),
				})
			}
		}
	}
	return all
}

func (src source) names() []string {
	var names []string
	for name := range src.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var stepNumbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

// declarationAt names the declaration that a comment belongs to: that it
// documents, or that it stands in.
func declarationAt(file *ast.File, group *ast.CommentGroup) (name string, isFunc bool) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == group || d.Pos() <= group.Pos() && group.End() <= d.End() {
				return funcName(d), true
			}
		case *ast.GenDecl:
			if d.Doc != group && (group.Pos() < d.Pos() || d.End() < group.End()) {
				continue
			}
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					return spec.Name.Name, false
				case *ast.ValueSpec:
					return spec.Names[0].Name, false
				}
			}
		}
	}
	return "package " + file.Name.Name, false
}

func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	return typ.(*ast.Ident).Name + "." + d.Name.Name
}

// functions yields the functions of the library that are no tests, file by file.
func (src source) functions() iter.Seq2[string, *ast.FuncDecl] {
	return func(yield func(string, *ast.FuncDecl) bool) {
		for _, name := range src.names() {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, d := range src.files[name].Decls {
				if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil && !yield(name, d) {
					return
				}
			}
		}
	}
}

func TestEveryCitedAnchorAndStepIsInTheStandard(t *testing.T) {
	fetch := standard.Fetch()
	for _, c := range readSource(t).citations() {
		term := fetch.Term(c.anchor)
		if term == nil {
			t.Errorf("%s cites #%s, which the standard of %s does not have", c, c.anchor, fetch.Commit)
			continue
		}
		for _, step := range c.steps {
			if !slices.Contains(term.Steps, step) {
				t.Errorf("%s cites step %s of #%s, which has no such step", c, step, c.anchor)
			}
		}
	}
}

// A comment such as "// 4. Bytes are compared" or "// 5. to 8." is about steps of
// the algorithm that its function cites.
var stepComment = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*\.(,? (and |to )?[0-9]+(\.[0-9]+)*\.)*( |$)`)

// Where a function follows an algorithm, it names the steps in the order in
// which the algorithm has them.
func TestStepsAreFollowedInOrder(t *testing.T) {
	fetch := standard.Fetch()
	src := readSource(t)
	checked := 0
	for name, d := range src.functions() {
		steps := src.stepComments(src.files[name], d)
		if len(steps) == 0 {
			continue
		}
		algorithm := fetch.Term(anchorOf(d))
		if algorithm == nil {
			t.Errorf("%s: %s numbers steps (%q) and cites no algorithm that has any", name, funcName(d), steps)
			continue
		}
		at := 0
		for _, step := range steps {
			i := slices.Index(algorithm.Steps[at:], step)
			switch {
			case i >= 0:
				at += i
				checked++
			case slices.Contains(algorithm.Steps, step):
				t.Errorf("%s: %s comes to step %s of #%s after step %s", name, funcName(d), step, algorithm.Anchor, algorithm.Steps[at])
			default:
				t.Errorf("%s: %s has a comment on step %s of #%s, which has no such step", name, funcName(d), step, algorithm.Anchor)
			}
		}
	}
	if checked < 50 {
		t.Errorf("found only %d steps in the comments of functions", checked)
	}
}

// stepComments returns the numbers of the steps that comments in the body of d
// begin with, in order.
func (src source) stepComments(file *ast.File, d *ast.FuncDecl) (steps []string) {
	for _, group := range file.Comments {
		if group.Pos() < d.Body.Pos() || d.Body.End() < group.End() {
			continue
		}
		for _, comment := range group.List {
			text := strings.TrimSpace(strings.TrimPrefix(comment.Text, "//"))
			if m := stepComment.FindString(text); m != "" {
				steps = append(steps, stepNumbers.FindAllString(m, -1)...)
			}
		}
	}
	return steps
}

// anchorOf is the anchor of the algorithm that d follows: its constant called
// anchor, or the first that its doc comment cites.
func anchorOf(d *ast.FuncDecl) string {
	anchor := ""
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "anchor" {
			anchor = literal(spec.Values[0])
		}
		return true
	})
	if anchor == "" {
		if m := fetchURL.FindStringSubmatch(d.Doc.Text()); m != nil {
			anchor = m[1]
		}
	}
	return anchor
}

func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(lit.Value)
	return s
}

// The pair of anchor and step in each call of blocked is what a BlockedError
// says, so it must be right.
func TestEveryNetworkErrorNamesAStep(t *testing.T) {
	fetch := standard.Fetch()
	src := readSource(t)
	calls := 0
	for name, d := range src.functions() {
		ast.Inspect(d.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			anchor, step := networkError(call, anchorOf(d))
			if anchor == "" {
				return true
			}
			calls++
			algorithm := fetch.Term(anchor)
			if algorithm == nil || !slices.Contains(algorithm.Steps, step) {
				t.Errorf("%s:%d: a fetch is blocked by step %q of #%s, which the standard does not have", name, src.fset.Position(call.Pos()).Line, step, anchor)
			}
			return true
		})
	}
	if calls < 30 {
		t.Errorf("found only %d places where a fetch is blocked", calls)
	}
}

// networkError returns the anchor and step that a call of blocked, or of a
// function literal called fail around it, gives; "" for another call. Fail has
// the code first and then the step.
func networkError(call *ast.CallExpr, inForce string) (anchor, step string) {
	switch fun := call.Fun.(type) {
	case *ast.SelectorExpr:
		if fun.Sel.Name != "blocked" || len(call.Args) != 3 {
			return "", ""
		}
		anchor, step = literal(call.Args[1]), literal(call.Args[2])
		if anchor == "" {
			anchor = inForce
		}
		if step == "" {
			return "", "" // inside fail
		}
		return anchor, step
	case *ast.Ident:
		if fun.Name == "fail" && len(call.Args) >= 2 {
			return inForce, literal(call.Args[1])
		}
	}
	return "", ""
}

// Anchors of other standards are checked for their form alone.
func TestOtherStandardsAreCitedByAnchor(t *testing.T) {
	cited := regexp.MustCompile(`https://([a-z]+\.spec\.whatwg\.org|w3c\.github\.io|httpwg\.org|www\.ietf\.org|www\.rfc-editor\.org)/[^ \n)"]*`)
	form := regexp.MustCompile(`^https://(` +
		`html\.spec\.whatwg\.org/multipage/[a-z-]+\.html#[a-z0-9-]+|` +
		`(fetch|url|mimesniff|infra|encoding|xhr)\.spec\.whatwg\.org/(#[A-Za-z0-9_?-]+)?|` +
		`w3c\.github\.io/[a-z-]+/(#[a-z0-9-]+)?|` +
		`httpwg\.org/specs/rfc[0-9]+\.html(#[a-z0-9.-]+)?|` +
		`httpwg\.org/http-extensions/draft-[a-z0-9-]+\.html(#[a-z0-9.-]+)?|` +
		`www\.ietf\.org/archive/id/draft-[a-z0-9-]+\.html(#[a-z0-9.-]+)?|` +
		`www\.rfc-editor\.org/rfc/rfc[0-9]+(\.html)?(#[a-z0-9.-]+)?)$`)
	src := readSource(t)
	for _, name := range src.names() {
		if strings.HasPrefix(name, "internal/standard/") {
			continue
		}
		for _, group := range src.files[name].Comments {
			for _, url := range cited.FindAllString(group.Text(), -1) {
				if !form.MatchString(strings.TrimRight(url, ".,;:")) {
					t.Errorf("%s:%d: %q is not how a section of this standard is cited", name, src.fset.Position(group.Pos()).Line, url)
				}
			}
		}
	}
}
