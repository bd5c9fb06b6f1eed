package export_test

import (
	"fmt"

	"github.com/crossorigin/cors/export"
	"github.com/crossorigin/cors/policyfile"
)

func ExampleTo() {
	file, err := policyfile.Parse([]byte(`
routes:
  /:
    origins: https://app.example.com
    shadow: true
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := export.To("nginx", file, export.Options{})
	if err != nil {
		fmt.Println(err) // also where nginx would allow more than the file
		return
	}
	for _, f := range result.Files {
		fmt.Println(f.Name)
	}
	for _, f := range result.Findings {
		fmt.Println(f.Effect, f.Field)
	}
	// Output:
	// cors-http.conf
	// cors-server.conf
	// needs lines
	// lost shadow
}
