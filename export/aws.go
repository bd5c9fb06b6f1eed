package export

import (
	"fmt"
	"slices"
	"strings"
)

// apiGateway writes the CORS configuration of an HTTP API of Amazon API Gateway, as
// "aws apigatewayv2 update-api --cors-configuration file://…" takes it. It answers
// preflights itself, and ignores what an integration says of CORS.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
func apiGateway(j *job) error {
	r, err := j.single("an HTTP API")
	if err != nil {
		return err
	}
	c := apiGatewayCORS{AllowOrigins: j.exactOrigins(r, "API Gateway"), AllowCredentials: r.policy.Credentials, MaxAge: r.seconds()}
	if len(c.AllowOrigins) == 0 {
		return noOrigin("API Gateway")
	}
	for _, o := range c.AllowOrigins {
		if o != "*" && !strings.HasPrefix(o, "https://") && !strings.HasPrefix(o, "http://") {
			j.findIn(r, Finding{Field: "origins", Value: o, Effect: Needs, Reason: "API Gateway is documented to take http:// and https:// alone, and may refuse the configuration", Fix: "remove it if so"})
		}
	}
	if r.any() && c.AllowCredentials {
		c.AllowCredentials = false
		j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Narrowed, Reason: `API Gateway refuses it together with "*" in origins, and it is left out`, Fix: "list the origins"})
	}
	methods, every := r.allMethods()
	names, everyName := r.names()
	c.AllowMethods, c.AllowHeaders = starFirst(methods, every), starFirst(names, everyName)
	c.ExposeHeaders = r.policy.ExposedHeaders
	if every {
		c.AllowMethods = []string{"*"}
	}
	if c.AllowCredentials {
		for _, list := range []struct {
			field string
			star  bool
		}{{"methods", every}, {"request-headers", everyName}} {
			if list.star {
				j.findIn(r, Finding{Field: list.field, Value: "*", Effect: Narrowed, Reason: `API Gateway answers "*", which means nothing to a request with credentials`, Fix: "list them"})
			}
		}
	}
	j.capMaxAge(r, &c.MaxAge, 86400, "API Gateway")
	j.findStatuses(204, 204)
	j.findPrivateNetwork()
	return j.writeJSON("apigateway-cors.json", c)
}

// cloudFront writes a response headers policy for each policy, as "aws cloudfront
// create-response-headers-policy --response-headers-policy-config file://…" takes
// it.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
func cloudFront(j *job) error {
	for _, r := range j.rules {
		if r.off() || r.shadow {
			continue
		}
		config := cloudFrontPolicy{
			Name:    fmt.Sprintf("cors-%d", r.number),
			Comment: "cors.yaml: " + strings.Join(r.routes, " "),
			CORS:    j.cloudFront(r),
		}
		if len(config.Comment) > 128 {
			config.Comment = config.Comment[:125] + "..."
		}
		if len(config.CORS.AllowOrigins.Items) == 0 {
			return noOrigin("CloudFront")
		}
		if err := j.writeJSON(fmt.Sprintf("cloudfront-cors-%d.json", r.number), config); err != nil {
			return err
		}
		for _, pattern := range r.routes {
			j.find(Finding{Route: pattern, Field: "routes", Value: pattern, Effect: Needs, Reason: "a response headers policy acts on the cache behaviours that name it",
				Fix: "attach cors-" + fmt.Sprint(r.number) + " to the behaviour of this path"})
		}
	}
	if len(j.result.Files) == 0 {
		return fmt.Errorf("the file allows no origin, and there is nothing to write; remove the response headers policies from the cache behaviours")
	}
	j.find(Finding{Field: "methods", Effect: Needs, Reason: "CloudFront passes preflights to the origin server and adds headers to its answer, whose status has to be one from 200 to 299",
		Fix: "allow OPTIONS in the cache behaviour, and have the origin server, or a CloudFront function, answer it with 204"})
	j.find(Finding{Field: "upstream-headers", Effect: Needs, Reason: "where the policy adds nothing, what the origin server says of CORS passes", Fix: "have the origin server say nothing of CORS"})
	j.findShadow()
	j.findHeaders()
	j.findPrivateNetwork()
	return nil
}

// cloudFrontMethods are those that a policy may hold, beside ALL.
var cloudFrontMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (j *job) cloudFront(r *rule) cloudFrontCORS {
	c := cloudFrontCORS{AllowCredentials: r.policy.Credentials, MaxAge: r.seconds(), Override: true}
	if r.any() && c.AllowCredentials {
		c.AllowCredentials = false
		j.findIn(r, Finding{Field: "credentials", Value: "true", Effect: Narrowed, Reason: `CloudFront refuses it together with "*", and it is left out`, Fix: "list the origins"})
	}
	c.AllowOrigins = quantity(j.cloudFrontOrigins(r))
	methods, every := r.allMethods()
	var refused []string
	if methods = slices.DeleteFunc(methods, func(m string) bool {
		if slices.Contains(cloudFrontMethods, m) {
			return false
		}
		refused = append(refused, m)
		return true
	}); every {
		methods, refused = []string{"ALL"}, nil
		if c.AllowCredentials {
			methods, refused = cloudFrontMethods, []string{"*"}
		}
	}
	j.findMethods(r, refused, "CloudFront takes none but "+strings.Join(cloudFrontMethods, ", "))
	c.AllowMethods = quantity(methods)
	names, everyName := r.names()
	switch {
	case everyName && c.AllowCredentials:
		j.findIn(r, Finding{Field: "request-headers", Value: "*", Effect: Narrowed, Reason: `CloudFront refuses "*" together with credentials, and it is left out`, Fix: "list the names"})
	case everyName:
		names = append([]string{"*"}, names...)
	}
	if len(names) == 0 {
		names = []string{nobody} // no list may be empty
	}
	c.AllowHeaders = quantity(names)
	if len(r.policy.ExposedHeaders) > 0 {
		exposed := quantity(r.policy.ExposedHeaders)
		c.ExposeHeaders = &exposed
	}
	return c
}

// cloudFrontOrigins returns the origins of r: exact ones, and subdomains.
func (j *job) cloudFrontOrigins(r *rule) []string {
	if r.any() {
		return []string{"*"}
	}
	var origins []string
	exact, wild := r.origins()
	for _, o := range slices.Concat(exact, wild) {
		scheme, host, _ := strings.Cut(o, "://")
		_, port := cutPort(host)
		switch {
		case scheme != "http" && scheme != "https":
			j.narrowOrigin(r, o, "CloudFront takes origins of http and https alone", "remove it, or let the origin server answer")
		case port == "*" || strings.Contains(strings.TrimPrefix(host, "*."), "*"):
			j.narrowOrigin(r, o, "CloudFront takes a wildcard in the place of subdomains alone", "list the origins")
		case strings.HasPrefix(host, "*."):
			j.findIn(r, Finding{Field: "origins", Value: o, Effect: Needs, Reason: "AWS does not say whether the wildcard stands for several labels, as it does in cors.yaml", Fix: "try one, or list the origins"})
			origins = append(origins, o)
		default:
			origins = append(origins, o)
		}
	}
	return origins
}

func quantity(items []string) cloudFrontList { return cloudFrontList{len(items), items} }

// What of AWS's structures is written.
type (
	apiGatewayCORS struct {
		AllowOrigins     []string `json:"AllowOrigins"`
		AllowMethods     []string `json:"AllowMethods"`
		AllowHeaders     []string `json:"AllowHeaders,omitempty"`
		ExposeHeaders    []string `json:"ExposeHeaders,omitempty"`
		AllowCredentials bool     `json:"AllowCredentials"`
		MaxAge           *int64   `json:"MaxAge,omitempty"`
	}
	cloudFrontPolicy struct {
		Name    string         `json:"Name"`
		Comment string         `json:"Comment"`
		CORS    cloudFrontCORS `json:"CorsConfig"`
	}
	cloudFrontCORS struct {
		AllowOrigins     cloudFrontList  `json:"AccessControlAllowOrigins"`
		AllowHeaders     cloudFrontList  `json:"AccessControlAllowHeaders"`
		AllowMethods     cloudFrontList  `json:"AccessControlAllowMethods"`
		AllowCredentials bool            `json:"AccessControlAllowCredentials"`
		ExposeHeaders    *cloudFrontList `json:"AccessControlExposeHeaders,omitempty"`
		MaxAge           *int64          `json:"AccessControlMaxAgeSec,omitempty"`
		Override         bool            `json:"OriginOverride"`
	}
	cloudFrontList struct {
		Quantity int      `json:"Quantity"`
		Items    []string `json:"Items"`
	}
)
