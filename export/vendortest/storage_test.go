package vendortest

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	apigateway "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	front "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	bucket "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cloudflare/cloudflare-go/v6/r2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/storage/v1"

	"github.com/crossorigin/cors/export"
)

// A double is a server that AWS's clients take for theirs, and keeps what they
// send.
type double struct {
	*httptest.Server
	body []byte
}

func newDouble(t *testing.T) *double {
	d := new(double)
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.body, _ = io.ReadAll(r.Body)
	}))
	t.Cleanup(d.Close)
	return d
}

var keys = aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("key", "secret", ""))

func TestS3(t *testing.T) {
	double := newDouble(t)
	client := s3.New(s3.Options{BaseEndpoint: &double.URL, Region: "eu-north-1", UsePathStyle: true, Credentials: keys, RetryMaxAttempts: 1})
	each(t, "s3", func(t *testing.T, files []export.File) {
		var config bucket.CORSConfiguration
		strictly(t, files[0].Data, &config)
		_, err := client.PutBucketCors(t.Context(), &s3.PutBucketCorsInput{Bucket: aws.String("bucket"), CORSConfiguration: &config})
		if err != nil {
			t.Fatal(err)
		}
		// The XML is what the client makes of the JSON.
		if diff := cmp.Diff(elements(t, double.body), elements(t, files[1].Data)); diff != "" {
			t.Errorf("-client +exported:\n%s", diff)
		}
		for _, o := range config.CORSRules[0].AllowedOrigins {
			if strings.Count(o, "*") > 1 {
				t.Errorf("%q has more than one wildcard", o)
			}
		}
		for _, m := range config.CORSRules[0].AllowedMethods {
			if !slices.Contains([]string{"GET", "PUT", "HEAD", "POST", "DELETE"}, m) {
				t.Errorf("S3 refuses the method %q", m)
			}
		}
	})
}

// elements returns the paths of the texts in XML, sorted.
func elements(t *testing.T, data []byte) (all []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	var path []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			slices.Sort(all)
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Space+" "+token.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				all = append(all, strings.Join(path, "/")+" = "+text)
			}
		}
	}
}

func TestCloudFront(t *testing.T) {
	double := newDouble(t)
	client := cloudfront.New(cloudfront.Options{BaseEndpoint: &double.URL, Region: "us-east-1", Credentials: keys, RetryMaxAttempts: 1})
	each(t, "cloudfront", func(t *testing.T, files []export.File) {
		for _, f := range files {
			var config front.ResponseHeadersPolicyConfig
			strictly(t, f.Data, &config)
			// The client refuses what lacks a member that is required.
			if _, err := client.CreateResponseHeadersPolicy(t.Context(), &cloudfront.CreateResponseHeadersPolicyInput{ResponseHeadersPolicyConfig: &config}); err != nil {
				t.Error(err)
			}
			known := front.ResponseHeadersPolicyAccessControlAllowMethodsValues("").Values()
			for _, m := range config.CorsConfig.AccessControlAllowMethods.Items {
				if !slices.Contains(known, m) {
					t.Errorf("CloudFront refuses the method %q", m)
				}
			}
		}
	})
}

func TestAPIGateway(t *testing.T) {
	double := newDouble(t)
	client := apigatewayv2.New(apigatewayv2.Options{BaseEndpoint: &double.URL, Region: "eu-north-1", Credentials: keys, RetryMaxAttempts: 1})
	each(t, "api-gateway", func(t *testing.T, files []export.File) {
		var config apigateway.Cors
		strictly(t, files[0].Data, &config)
		// An empty answer is none that the client reads; the question is what counts.
		client.UpdateApi(t.Context(), &apigatewayv2.UpdateApiInput{ApiId: aws.String("api"), CorsConfiguration: &config})
		var sent struct {
			CorsConfiguration map[string]any `json:"corsConfiguration"`
		}
		if err := json.Unmarshal(double.body, &sent); err != nil {
			t.Fatalf("%v: %s", err, double.body)
		}
		var exported map[string]any
		if err := json.Unmarshal(files[0].Data, &exported); err != nil {
			t.Fatal(err)
		}
		if len(sent.CorsConfiguration) != len(exported) {
			t.Errorf("the client sends %v of %v", sent.CorsConfiguration, exported)
		}
	})
}

func TestR2(t *testing.T) {
	each(t, "r2", func(t *testing.T, files []export.File) {
		var policy r2.BucketCORSGetResponse
		if err := json.Unmarshal(files[0].Data, &policy); err != nil {
			t.Fatal(err)
		}
		if len(policy.JSON.ExtraFields) > 0 || len(policy.Rules) != 1 {
			t.Errorf("%d rules, and unknown fields %v", len(policy.Rules), policy.JSON.ExtraFields)
		}
		for _, rule := range policy.Rules {
			if len(rule.JSON.ExtraFields)+len(rule.Allowed.JSON.ExtraFields) > 0 {
				t.Errorf("unknown fields %v %v", rule.JSON.ExtraFields, rule.Allowed.JSON.ExtraFields)
			}
			for _, m := range rule.Allowed.Methods {
				if !m.IsKnown() {
					t.Errorf("R2 refuses the method %q", m)
				}
			}
		}
	})
}

func TestCloudStorage(t *testing.T) {
	each(t, "gcs", func(t *testing.T, files []export.File) {
		var rules []storage.BucketCors
		strictly(t, files[0].Data, &rules)
	})
}

func TestAzure(t *testing.T) {
	each(t, "azure-blob", func(t *testing.T, files []export.File) {
		var properties armstorage.BlobServiceProperties
		if err := json.Unmarshal(files[0].Data, &properties); err != nil {
			t.Fatal(err)
		}
		// What the type has no field for does not come back.
		back, err := json.Marshal(properties)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if json.Unmarshal(back, &got) != nil || json.Unmarshal(files[0].Data, &want) != nil {
			t.Fatal("no JSON")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-exported +read back:\n%s", diff)
		}
		for _, m := range properties.BlobServiceProperties.Cors.CorsRules[0].AllowedMethods {
			if !slices.Contains(armstorage.PossibleCorsRuleAllowedMethodsItemValues(), *m) {
				t.Errorf("Azure refuses the method %q", *m)
			}
		}
	})
}
