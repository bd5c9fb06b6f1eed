package origin_test

import (
	"fmt"

	"github.com/crossorigin/cors/origin"
)

func ExampleParse() {
	o, err := origin.Parse("https://app.example.com:8443")
	fmt.Println(o.Scheme(), o.Host(), o.Port(), err)

	// Not what a browser sends: it leaves out the default port.
	_, err = origin.Parse("https://app.example.com:443")
	fmt.Println(err)
	// Output:
	// https app.example.com 8443 <nil>
	// origin: the default port of its scheme is not written
}

func ExampleParsePattern() {
	p, _ := origin.ParsePattern("https://*.example.com")
	for _, s := range []string{"https://app.example.com", "https://example.com", "https://evilexample.com"} {
		o, _ := origin.Parse(s)
		fmt.Println(s, p.Match(o))
	}

	// The error says what to write instead.
	_, err := origin.ParsePattern("https://*example.com/")
	fmt.Println(err)
	// Output:
	// https://app.example.com true
	// https://example.com false
	// https://evilexample.com false
	// "https://*example.com/": an origin has no path; write "https://*.example.com"
}

func ExampleSet() {
	var tenants origin.Set
	if err := tenants.Add("https://a.example", "https://*.b.example"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(tenants.ContainsString("https://app.b.example"))
	if err := tenants.Remove("https://*.b.example"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(tenants.ContainsString("https://app.b.example"))
	// Output:
	// true
	// false
}

func ExampleSameSite() {
	a, _ := origin.Parse("https://app.example.co.uk")
	b, _ := origin.Parse("https://api.example.co.uk:8443")
	c, _ := origin.Parse("http://app.example.co.uk")
	fmt.Println(origin.SameSite(a, b), origin.SameSite(a, c))
	// Output: true false
}
