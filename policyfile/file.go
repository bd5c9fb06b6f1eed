package policyfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/edge"
)

// A File is what a cors.yaml says.
type File struct {
	Upstream *url.URL // of requests whose route names none; nil if the file names none
	Routes   []Route  // in the order of the file, at least one
}

// A Route is a policy for the requests that its pattern matches.
type Route struct {
	Pattern         string      // as [cors.NewRoutes] takes it
	Policy          cors.Policy // the zero one where the file says "off"
	Upstream        *url.URL    // http, https or h2c; the file's where the route names none; nil if neither does
	UpstreamHeaders edge.Mode
	Shadow          bool // decide and count, but enforce nothing
}

// Policies returns the policy of each route by its pattern, as
// [cors.NewRoutes] takes them. It accepts those of every File that [Parse]
// returned.
func (f *File) Policies() map[string]cors.Policy {
	policies := make(map[string]cors.Policy, len(f.Routes))
	for _, r := range f.Routes {
		policies[r.Pattern] = r.Policy
	}
	return policies
}

// Load reads the file at path. Its errors are those of [Parse], with path in
// them, and those of the file system.
func Load(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return nil, err
	}
	f, err := Parse(data)
	if faults, ok := err.(interface{ Unwrap() []error }); ok {
		for _, fault := range faults.Unwrap() {
			fault.(*Error).File = path
		}
	}
	return f, err
}

// Parse reads the text of a cors.yaml. If anything in it is wrong, the error
// holds one [*Error] for each mistake, also those that package cors finds in
// the policies.
func Parse(data []byte) (*File, error) {
	r := new(reader)
	f := r.file(data)
	if len(r.faults) == 0 {
		return f, nil
	}
	slices.SortStableFunc(r.faults, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	// What an anchor holds is read once for each of its aliases.
	r.faults = slices.CompactFunc(r.faults, func(a, b *Error) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Reason == b.Reason
	})
	errs := make([]error, 0, maxFaults+1)
	for i, fault := range r.faults {
		if i == maxFaults {
			fault = &Error{Line: fault.Line, Column: fault.Column, Index: -1,
				Reason: fmt.Sprintf("there are %d more mistakes from here on", len(r.faults)-i), Fix: "mend those above first"}
			errs = append(errs, fault)
			break
		}
		errs = append(errs, fault)
	}
	return nil, errors.Join(errs...)
}

// maxFaults is how many mistakes are told one by one.
const maxFaults = 100
