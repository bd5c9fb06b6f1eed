package report

import (
	"encoding/xml"
	"io"
)

// A Suite is a group of cases in a JUnit report, which is what systems of
// continuous integration show.
type Suite struct {
	Name  string
	Cases []Case
}

// A Case is one line of a JUnit report: it passed where nothing else is set.
type Case struct {
	Name    string
	Failure *Fault // it was judged, and is wrong
	Error   *Fault // it could not be judged
	Skipped string // why it was not judged; or ""
}

// A Fault is what is wrong in a JUnit report.
type Fault struct {
	Kind    string // in a word
	Message string // in a line
	Text    string // in many
}

// JUnit writes suites as the XML that JUnit's runners made common. Characters
// that XML cannot hold are replaced.
func JUnit(w io.Writer, name string, suites []Suite) error {
	all := junitSuites{Name: name} // which has no attribute for what is skipped
	for _, s := range suites {
		suite := junitSuite{Name: s.Name}
		for _, c := range s.Cases {
			suite.add(c, name+" "+s.Name)
		}
		all.Suites = append(all.Suites, suite)
		all.Tests += suite.Tests
		all.Failures += suite.Failures
		all.Errors += suite.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Skipped int         `xml:"skipped,attr"`
	Cases   []junitCase `xml:"testcase"`
}

func (s *junitSuite) add(c Case, class string) {
	s.Tests++
	out := junitCase{Class: class, Name: Clean(c.Name)}
	switch {
	case c.Failure != nil:
		s.Failures++
		out.Failure = newJUnitFault(c.Failure)
	case c.Error != nil:
		s.Errors++
		out.Error = newJUnitFault(c.Error)
	case c.Skipped != "":
		s.Skipped++
		out.Skipped = &junitSkipped{Clean(c.Skipped)}
	}
	s.Cases = append(s.Cases, out)
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFault   `xml:"failure"`
	Error   *junitFault   `xml:"error"`
	Skipped *junitSkipped `xml:"skipped"`
}

type junitFault struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

func newJUnitFault(f *Fault) *junitFault { return &junitFault{f.Kind, Clean(f.Message), Clean(f.Text)} }

type junitSkipped struct {
	Message string `xml:"message,attr"`
}
