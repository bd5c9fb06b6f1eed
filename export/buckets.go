package export

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossorigin/cors/header"
)

// Buckets have one list of rules for all their objects. They compare the method of
// each request, those that need no preflight too.

// s3 writes the CORS configuration of a bucket: in JSON for the AWS command and
// the console, and in XML for the REST API.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
func s3(j *job) error {
	r, err := j.single("a bucket")
	if err != nil {
		return err
	}
	rule := s3Rule{
		AllowedOrigins: j.s3Origins(r),
		AllowedMethods: j.storageMethods(r, "S3"),
		AllowedHeaders: starFirst(r.names()),
		ExposeHeaders:  j.namedExposed(r, "S3 refuses a configuration that has it"),
		MaxAgeSeconds:  r.seconds(),
	}
	j.findStatuses(200, 403)
	j.findPrivateNetwork()
	j.findStar(r, "S3 answers with the names asked for, Authorization among them")
	switch {
	case r.any() && r.policy.Credentials:
		j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Narrowed, Reason: `to a page of any origin S3 answers "*", without credentials`, Fix: "list the origins"})
	case !r.any() && !r.policy.Credentials:
		j.findIn(r, Finding{Field: "credentials", Value: "false", Effect: Widened, Reason: `S3 answers Access-Control-Allow-Credentials: true wherever it does not answer "*"`,
			Fix: "allow it where nothing that reads cookies is in front of the bucket: S3 itself reads none"})
	}
	if !r.any() {
		j.find(Finding{Field: "origins", Effect: Needs, Reason: "to a request without an origin S3 sends no Vary, and a cache in front of it keeps that answer for everybody",
			Fix: "have the cache keep one answer for each Origin"})
	}
	if len(rule.AllowedOrigins) == 0 {
		return noOrigin("S3")
	}
	config := s3Configuration{Rules: []s3Rule{rule}}
	if err := j.writeJSON("s3-cors.json", config); err != nil {
		return err
	}
	config.Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	data, err := xml.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	if len(data) > 64<<10 {
		j.find(Finding{Field: "origins", Effect: Needs, Reason: "S3 refuses a configuration of more than 64 KiB", Fix: "list fewer origins, or let the server in front of the bucket answer"})
	}
	j.write("s3-cors.xml", append([]byte(xml.Header), append(data, '\n')...))
	return nil
}

// s3Origins returns the origins of r in S3's language: one "*" in each, which
// stands for any characters.
func (j *job) s3Origins(r *rule) []string {
	if r.any() {
		return []string{"*"}
	}
	origins, wild := r.origins()
	for _, o := range wild {
		scheme, host, _ := strings.Cut(o, "://")
		name, port := cutPort(host)
		before, after, wildName := strings.Cut(name, "*")
		switch {
		case wildName && port == "*":
			j.narrowOrigin(r, o, "S3 takes one wildcard in an origin: the port is the default one", "list the ports that are needed")
			origins = append(origins, scheme+"://"+name)
		case port == "*":
			// "http://localhost:*" does not match "http://localhost".
			origins = append(origins, scheme+"://"+name, o)
		case wildName && (before != "" || !strings.HasPrefix(after, ".") && after != ""):
			j.findIn(r, Finding{Field: "origins", Value: o, Effect: Widened,
				Reason: "S3's wildcard spans dots: names of more labels are let in, such as " + scheme + "://" + before + "a.b" + after + portSuffix(port),
				Fix:    "list the origins, or make sure that whoever can have such a name may read"})
			origins = append(origins, o)
		default:
			origins = append(origins, o)
		}
	}
	return origins
}

func portSuffix(port string) string {
	if port == "" {
		return ""
	}
	return ":" + port
}

// r2 writes the CORS policy of a bucket of Cloudflare R2, as wrangler and the API
// take it.
//
// https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/cors/
func r2(j *job) error {
	r, err := j.single("a bucket")
	if err != nil {
		return err
	}
	origins := j.exactOrigins(r, "R2")
	if len(origins) == 0 {
		return noOrigin("R2")
	}
	rule := r2Rule{
		ID:            "cors-yaml",
		Allowed:       r2Allowed{Origins: origins, Methods: j.storageMethods(r, "R2"), Headers: starFirst(r.names())},
		ExposeHeaders: j.namedExposed(r, `nothing says that R2 takes "*" here`),
		MaxAgeSeconds: r.seconds(),
	}
	j.capMaxAge(r, &rule.MaxAgeSeconds, 86400, "R2")
	j.findStatuses(0, 0)
	j.findPrivateNetwork()
	j.findStar(r, "R2 may answer with the names asked for, Authorization among them")
	j.noCredentials(r, "R2")
	return j.writeJSON("r2-cors.json", r2Policy{[]r2Rule{rule}})
}

// gcs writes the CORS configuration of a bucket of Google Cloud Storage.
//
// https://cloud.google.com/storage/docs/cors-configurations
func gcs(j *job) error {
	r, err := j.single("a bucket")
	if err != nil {
		return err
	}
	rule := gcsRule{Origin: j.exactOrigins(r, "Cloud Storage"), MaxAgeSeconds: r.seconds()}
	if len(rule.Origin) == 0 {
		return noOrigin("Cloud Storage")
	}
	methods, every := r.allMethods()
	if every {
		methods = []string{"*"}
	}
	rule.Method = methods
	// One list is both: what a page may send, and what it may see.
	names, everyName := r.names()
	exposed := j.namedExposed(r, "Cloud Storage has one list for what is sent and what is seen")
	if everyName {
		j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Narrowed, Reason: `nothing says that Cloud Storage takes "*" here`, Fix: "list the names"})
	}
	list := slices.Concat(names, exposed)
	rule.ResponseHeader, _ = distinct(list)
	for _, n := range names {
		if !slices.ContainsFunc(exposed, func(e string) bool { return header.EqualFold(e, n) }) && !header.IsSafelistedResponse(n) {
			j.findIn(r, Finding{Field: "exposed-headers", Value: n, Effect: Widened, Reason: "one list is both what a page may send and what it may see",
				Fix: "allow it where the objects have no such metadata"})
		}
	}
	for _, e := range exposed {
		if !slices.ContainsFunc(names, func(n string) bool { return header.EqualFold(e, n) }) && !header.IsForbiddenRequest(e, "") {
			j.findIn(r, Finding{Field: "request-headers", Value: e, Effect: Widened, Reason: "one list is both what a page may see and what it may send",
				Fix: "allow it where nothing heeds such a request-header"})
		}
	}
	j.findStatuses(0, 0)
	j.findPrivateNetwork()
	j.noCredentials(r, "Cloud Storage")
	return j.writeJSON("gcs-cors.json", []gcsRule{rule})
}

// azure writes the properties of the blob service of a storage account, as Azure
// Resource Manager takes them.
//
// https://learn.microsoft.com/rest/api/storageservices/cross-origin-resource-sharing--cors--support-for-the-azure-storage-services
func azure(j *job) error {
	r, err := j.single("a storage account")
	if err != nil {
		return err
	}
	rule := azureRule{
		AllowedMethods: []string{},
		AllowedHeaders: starFirst(r.names()),
		ExposedHeaders: starFirst(r.exposed()),
		// It has to be there; without it browsers keep an answer for 5 s.
		MaxAgeInSeconds: 5,
	}
	if age := r.seconds(); age != nil {
		rule.MaxAgeInSeconds = *age
	} else {
		j.findIn(r, Finding{Field: "max-age", Effect: Lost, Reason: "Azure has to be told one, and 5 s is said", Fix: "nothing: browsers keep an answer for 5 s in any case"})
	}
	rule.AllowedOrigins = j.azureOrigins(r)
	if len(rule.AllowedOrigins) == 0 {
		return noOrigin("Azure")
	}
	methods, every := r.allMethods()
	if every {
		methods = azureMethods
		j.findMethods(r, []string{"*"}, "Azure takes none but "+strings.Join(azureMethods, ", "))
	}
	var refused []string
	for _, m := range methods {
		if slices.Contains(azureMethods, m) {
			rule.AllowedMethods = append(rule.AllowedMethods, m)
		} else {
			refused = append(refused, m)
		}
	}
	j.findMethods(r, refused, "Azure takes none but "+strings.Join(azureMethods, ", "))
	j.findStatuses(200, 403)
	j.findPrivateNetwork()
	j.findStar(r, "Azure answers with the names asked for, Authorization among them")
	switch {
	case r.any() && r.policy.Credentials:
		j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Narrowed, Reason: `to a page of any origin Azure answers "*", without credentials`, Fix: "list the origins"})
	case !r.any() && !r.policy.Credentials:
		j.findIn(r, Finding{Field: "credentials", Value: "false", Effect: Widened, Reason: `Azure answers Access-Control-Allow-Credentials: true wherever "*" is not the list of origins`,
			Fix: "allow it where nothing that reads cookies is in front of the account: Azure Storage itself reads none"})
	}
	if len(rule.AllowedHeaders) > 64 || len(rule.ExposedHeaders) > 64 || len(strings.Join(slices.Concat(rule.AllowedOrigins, rule.AllowedHeaders, rule.ExposedHeaders), ",")) > 2000 {
		j.find(Finding{Field: "origins", Effect: Needs, Reason: "Azure refuses more than 64 names in a list, and rules of more than 2 KiB", Fix: "shorten the lists"})
	}
	return j.writeJSON("azure-blob-cors.json", azureService{azureProperties{azureRules{[]azureRule{rule}}}})
}

// azureMethods are those that a rule may hold.
var azureMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "MERGE", "OPTIONS"}

// azureOrigins returns the origins of r: exact ones, and subdomains.
func (j *job) azureOrigins(r *rule) []string {
	if r.any() {
		return []string{"*"}
	}
	origins, wild := r.origins()
	for _, o := range wild {
		_, host, _ := strings.Cut(o, "://")
		if _, port := cutPort(host); strings.HasPrefix(host, "*.") && port != "*" {
			origins = append(origins, o)
			continue
		}
		j.narrowOrigin(r, o, "Azure takes a wildcard in the place of subdomains alone", "list the origins")
	}
	return origins
}

// exactOrigins returns the origins of r for a target that knows no patterns.
func (j *job) exactOrigins(r *rule, target string) []string {
	if r.any() {
		return []string{"*"}
	}
	exact, wild := r.origins()
	for _, o := range wild {
		j.narrowOrigin(r, o, target+" compares whole origins", "list the origins")
	}
	return exact
}

func noOrigin(target string) error {
	return fmt.Errorf("%s can say none of the origins of the file: it would allow nobody; list exact origins", target)
}

// storageMethods returns those of r that S3 and R2 take.
func (j *job) storageMethods(r *rule, target string) []string {
	all := []string{"GET", "HEAD", "POST", "PUT", "DELETE"}
	methods, every := r.allMethods()
	reason := target + " takes none but " + strings.Join(all, ", ")
	if every {
		j.findMethods(r, []string{"*"}, reason)
		return all
	}
	var taken, refused []string
	for _, m := range methods {
		if slices.Contains(all, m) {
			taken = append(taken, m)
		} else {
			refused = append(refused, m)
		}
	}
	j.findMethods(r, refused, reason)
	return taken
}

// namedExposed returns the names that r exposes, for targets that know no "*".
func (j *job) namedExposed(r *rule, why string) []string {
	names, every := r.exposed()
	if every {
		j.findIn(r, Finding{Field: "exposed-headers", Value: "*", Effect: Narrowed, Reason: why, Fix: "list the names"})
	}
	return names
}

// findStar tells of "*" in request-headers where it covers Authorization.
func (j *job) findStar(r *rule, reason string) {
	if _, every := r.names(); every && !r.authorization() {
		j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Widened, Reason: reason, Fix: "list the names"})
	}
}

func (j *job) noCredentials(r *rule, target string) {
	if r.policy.Credentials {
		j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Narrowed, Reason: target + " never answers Access-Control-Allow-Credentials", Fix: "have pages send no credentials: signed URLs need none"})
	}
}

// capMaxAge keeps *age within what the target takes.
func (j *job) capMaxAge(r *rule, age **int64, most int64, target string) {
	if *age == nil || **age <= most {
		return
	}
	j.findIn(r, Finding{Field: "max-age", Value: r.maxAge(), Effect: Lost, Reason: target + " takes no more than a day", Fix: "nothing: no browser keeps an answer for longer"})
	*age = &most
}

// seconds is the value of Access-Control-Max-Age, or nil where there is none.
func (r *rule) seconds() *int64 {
	var seconds int64
	switch age := r.policy.MaxAge; {
	case age == 0:
		return nil
	case age > 0:
		seconds = int64(age / time.Second)
	}
	return &seconds
}

// starFirst returns a list with "*" before the names where it covers every one.
func starFirst(names []string, every bool) []string {
	if every {
		return append([]string{"*"}, names...)
	}
	return append([]string{}, names...)
}

// What of the vendors' configurations is written.
type (
	s3Configuration struct {
		XMLName   xml.Name `json:"-" xml:"CORSConfiguration"`
		Namespace string   `json:"-" xml:"xmlns,attr,omitempty"`
		Rules     []s3Rule `json:"CORSRules" xml:"CORSRule"`
	}
	s3Rule struct {
		AllowedOrigins []string `json:"AllowedOrigins" xml:"AllowedOrigin"`
		AllowedMethods []string `json:"AllowedMethods" xml:"AllowedMethod"`
		AllowedHeaders []string `json:"AllowedHeaders,omitempty" xml:"AllowedHeader"`
		ExposeHeaders  []string `json:"ExposeHeaders,omitempty" xml:"ExposeHeader"`
		MaxAgeSeconds  *int64   `json:"MaxAgeSeconds,omitempty" xml:"MaxAgeSeconds,omitempty"`
	}
	r2Policy struct {
		Rules []r2Rule `json:"rules"`
	}
	r2Rule struct {
		ID            string    `json:"id"`
		Allowed       r2Allowed `json:"allowed"`
		ExposeHeaders []string  `json:"exposeHeaders,omitempty"`
		MaxAgeSeconds *int64    `json:"maxAgeSeconds,omitempty"`
	}
	r2Allowed struct {
		Origins []string `json:"origins"`
		Methods []string `json:"methods"`
		Headers []string `json:"headers,omitempty"`
	}
	gcsRule struct {
		Origin         []string `json:"origin"`
		Method         []string `json:"method"`
		ResponseHeader []string `json:"responseHeader,omitempty"`
		MaxAgeSeconds  *int64   `json:"maxAgeSeconds,omitempty"`
	}
	azureService struct {
		Properties azureProperties `json:"properties"`
	}
	azureProperties struct {
		CORS azureRules `json:"cors"`
	}
	azureRules struct {
		Rules []azureRule `json:"corsRules"`
	}
	azureRule struct {
		AllowedOrigins  []string `json:"allowedOrigins"`
		AllowedMethods  []string `json:"allowedMethods"`
		AllowedHeaders  []string `json:"allowedHeaders"`
		ExposedHeaders  []string `json:"exposedHeaders"`
		MaxAgeInSeconds int64    `json:"maxAgeInSeconds"`
	}
)
