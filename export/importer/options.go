package importer

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/crossorigin/cors"
)

// readS3 reads the CORS configuration of a bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
func readS3(r *result, data []byte) error {
	rules, err := s3Rules(data)
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return errors.New("there is no rule")
	}
	var first *cors.Policy
	for i, rule := range rules {
		where := fmt.Sprintf("rule %d", i+1)
		p := r.s3Policy(where, rule)
		switch {
		case first == nil:
			first = p
		case sameBut(first, p, func(p *cors.Policy) *[]string { return &p.Origins }):
			add(&first.Origins, p.Origins...)
		case sameBut(first, p, func(p *cors.Policy) *[]string { return &p.Methods }):
			add(&first.Methods, p.Methods...)
		default:
			r.lost(where, "routes", strings.Join(rule.AllowedOrigins, ", "), "a route has one policy for all its origins, and this is another one", "widen the policy by it, if that is meant")
		}
	}
	r.route("/", "the bucket", first, "")
	return nil
}

type s3Rule struct {
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	MaxAgeSeconds  *int64   `xml:"MaxAgeSeconds"`
}

func s3Rules(data []byte) ([]s3Rule, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		var config struct {
			XMLName xml.Name
			Rules   []s3Rule `xml:"CORSRule"`
		}
		if err := xml.Unmarshal(text, &config); err != nil {
			return nil, err
		}
		if config.XMLName.Local != "CORSConfiguration" {
			return nil, fmt.Errorf("%.40q: CORSConfiguration is wanted", config.XMLName.Local)
		}
		return config.Rules, nil
	case bytes.HasPrefix(text, []byte("[")): // as the console has it
		var rules []s3Rule
		err := decode(text, &rules)
		return rules, err
	}
	var config struct{ CORSRules []s3Rule }
	err := decode(text, &config)
	return config.CORSRules, err
}

// decode reads one value of JSON, and nothing after it.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("this is not the JSON that is wanted: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON")
	}
	return nil
}

func (r *result) s3Policy(where string, rule s3Rule) *cors.Policy {
	p := new(cors.Policy)
	for _, o := range rule.AllowedOrigins {
		r.addOrigin(p, where, o)
	}
	// To a page of an origin that it names S3 allows credentials.
	p.Credentials = !slices.Contains(rule.AllowedOrigins, "*") && len(rule.AllowedOrigins) > 0
	r.eachMethod(p, where, rule.AllowedMethods)
	for _, name := range rule.AllowedHeaders {
		if name != "*" && strings.Contains(name, "*") {
			r.lost(where, "request-headers", name, "a name has no wildcard here", "list the names")
			continue
		}
		add(&p.RequestHeaders, name)
	}
	if slices.Contains(p.RequestHeaders, "*") {
		add(&p.RequestHeaders, "Authorization") // S3 allows it too
	}
	add(&p.ExposedHeaders, rule.ExposeHeaders...)
	if rule.MaxAgeSeconds != nil {
		r.seconds(p, where, fmt.Sprint(*rule.MaxAgeSeconds))
	}
	return p
}

// eachMethod adds the methods of a source that compares those of each request.
func (r *result) eachMethod(p *cors.Policy, where string, methods []string) {
	add(&p.Methods, withoutSafelisted(methods)...)
	if slices.Contains(methods, "*") {
		return
	}
	var others []string
	for _, m := range []string{"GET", "HEAD", "POST"} {
		if !slices.Contains(methods, m) {
			others = append(others, m)
		}
	}
	if len(others) > 0 {
		r.find(Finding{where, "methods", strings.Join(others, ", "), Widened, "what needs no preflight is always allowed here", "have the service refuse it, if it must not be"})
	}
}

// sameBut reports whether policies are the same but for one list.
func sameBut(a, b *cors.Policy, list func(*cors.Policy) *[]string) bool {
	x, y := *a, *b
	*list(&x), *list(&y) = nil, nil
	return same(&x, &y)
}

// readOptions reads the options of rs/cors, and of what has taken them over, as
// JSON. The names are read in whatever case, with _ or without.
func readOptions(r *result, data []byte) error {
	var v map[string]any
	if err := decode(data, &v); err != nil {
		return err
	}
	o := tree{v}
	if inner := o.at("cors"); inner.there() && len(o.keys()) == 1 {
		o = inner
	}
	where, p := "options", new(cors.Policy)
	known := false
	list := func(names ...string) (values []string, there bool) {
		for _, name := range names {
			if o.at(name).there() {
				known = true
				return o.at(name).texts(), true
			}
		}
		return nil, false
	}
	origins, _ := list("allowedOrigins", "allowOrigins", "origins", "origin")
	methods, _ := list("allowedMethods", "allowMethods", "methods")
	names, named := list("allowedHeaders", "allowHeaders", "headers")
	exposed, _ := list("exposedHeaders", "exposeHeaders")
	if !known {
		return errors.New(`there is none of "AllowedOrigins", "AllowedMethods", "AllowedHeaders" and "ExposedHeaders"`)
	}
	p.Credentials = o.at("allowCredentials").is() || o.at("credentials").is()
	switch elsewhere := otherOrigins(o); {
	case len(origins) > 0:
	case o.at("allowAllOrigins").is():
		origins = []string{"*"}
	case elsewhere != "":
		r.lost(where, "origins", elsewhere, "this option says which origins may read, and is not read", "list the origins")
	default:
		origins = []string{"*"} // as rs/cors has it
		r.find(Finding{where, "origins", "", Unsafe, "no origin is listed, which rs/cors takes for every origin", "list the origins that may read"})
	}
	for _, origin := range origins {
		r.addOrigin(p, where, strings.ToLower(origin))
	}
	if slices.Contains(p.Origins, "*") {
		p.Origins = []string{"*"}
		if p.Credentials {
			p.Credentials = false
			r.lost(where, "credentials", "true", `it is answered with "*", to which browsers give no credentials`, "list the origins that may have them")
		}
	}
	if len(methods) == 0 {
		methods = []string{"GET", "POST", "HEAD"}
	}
	r.eachMethod(p, where, methods)
	if !named || len(names) == 0 {
		names = []string{"Accept", "Content-Type", "X-Requested-With"} // as rs/cors has it
	}
	add(&p.RequestHeaders, names...)
	if slices.Contains(p.RequestHeaders, "*") {
		add(&p.RequestHeaders, "Authorization") // rs/cors allows it too
	}
	add(&p.ExposedHeaders, exposed...)
	if age := o.at("maxAge").text(); age != "0" {
		r.seconds(p, where, age)
	}
	p.PrivateNetwork = o.at("allowPrivateNetwork").is()
	if status := o.at("optionsSuccessStatus").text(); status != "" && status != "0" {
		if _, err := fmt.Sscan(status, &p.PreflightStatus); err != nil {
			r.lost(where, "preflight-status", status, "this is no status", "write 200 to 299")
		}
	}
	for _, name := range o.keys() {
		if !slices.Contains(optionNames, folded(name)) && (len(origins) > 0 || name != otherOrigins(o)) {
			r.lost(where, "routes", name, "this option is not read", "see what it does")
		}
	}
	r.route("/", where, p, "")
	return nil
}

// otherOrigins is an option that is not read and is of origins, such as
// AllowOriginFunc: where it stands, no origin is not every origin.
func otherOrigins(o tree) string {
	for _, name := range o.keys() {
		if strings.Contains(folded(name), "origin") && !slices.Contains(optionNames, folded(name)) {
			return name
		}
	}
	return ""
}

// optionNames are those that are read, and those that say nothing of a policy.
var optionNames = []string{"allowedorigins", "alloworigins", "origins", "origin", "allowallorigins", "allowedmethods", "allowmethods", "methods", "allowedheaders", "allowheaders", "headers",
	"exposedheaders", "exposeheaders", "allowcredentials", "credentials", "maxage", "allowprivatenetwork", "optionssuccessstatus", "debug", "logger"}
