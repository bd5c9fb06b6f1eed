package policyfile_test

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

func ExampleLoad() {
	file, err := policyfile.Load("testdata/good/full.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	routes, err := cors.NewRoutes(file.Policies())
	if err != nil {
		fmt.Println(err)
		return
	}
	http.Handle("/", routes.Wrap(http.NotFoundHandler()))
}

func ExampleParse_mistakes() {
	_, err := policyfile.Parse([]byte(`
routes:
  /api/:
    origins: [https://app.example.com/, app.example.com]
    max_age: 10m
`))
	fmt.Println(err)

	var first *policyfile.Error
	if errors.As(err, &first) {
		fmt.Println("line", first.Line, "column", first.Column)
	}
	// Output:
	// 4:15: route "/api/": origins[0]: "https://app.example.com/": an origin has no path; write "https://app.example.com"
	// 4:41: route "/api/": origins[1]: "app.example.com": an origin begins with a scheme; write "https://app.example.com"
	// 5:5: route "/api/": "max_age": there is no such key; did you mean "max-age"?
	// line 4 column 15
}
