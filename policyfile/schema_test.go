package policyfile_test

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/policyfile"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("cors.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// values has the YAML in data as the validator takes it.
func values(data []byte) (any, error) {
	json, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(json))
}

func TestLoaderAndSchemaAcceptTheSameFiles(t *testing.T) {
	s := schema(t)
	for _, path := range append(glob(t, "testdata/good/*.yaml"), glob(t, "../bench/gateway/cors.yaml")...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data := []byte(strings.NewReplacer("{{.Upstream}}", "localhost:1", "{{.Down}}", "localhost:2").Replace(string(text)))
		if _, err := policyfile.Parse(data); err != nil {
			t.Errorf("Parse(%s): %v", path, err)
		}
		v, err := values(data)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("the schema refuses %s: %v", path, err)
		}
	}
}

// beyondSchema are the reasons that a schema cannot find: it sees values, not
// how they are written, nor what they mean.
var beyondSchema = []string{
	"this key is on line",          // a decoder keeps the last
	"tags are not read",            // a decoder reads them
	"public suffix",                // the list of them changes every week
	"with credentials whoever",     // loopback hosts are exempt
	"Punycode",                     // the host may be written in any script
	"browsers let no page set",     // in any case, some by prefix
	"with credentials \"*\" is",    // in a text with commas
	"longer than any browser",      // arithmetic
	"is not a port",                // arithmetic
	"match some of the same paths", // of two keys
	"bad wildcard segment",         // the braces
	"no request has this path",     // the dots
	"this is a number: a key is",   // in JSON every key is a text
	"environment variables",        // in a text where anything may stand
	"keys and values are wanted",   // of the value of "<<", which is merged
	"in decimal digits",            // a decoder reads other bases
	"keys that begin with",         // a decoder reads them
	"a second document",            // a decoder reads the first
}

func TestTheSchemaFindsWhatASchemaCan(t *testing.T) {
	s := schema(t)
	for _, path := range glob(t, "testdata/bad/*.yaml") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := values(data)
		if err != nil {
			continue // it is not YAML to anyone
		}
		_, err = policyfile.Parse(data)
		faults := err.(interface{ Unwrap() []error }).Unwrap()
		places := faultPlaces(s.Validate(v))
		for _, fault := range faults {
			e := fault.(*policyfile.Error)
			place := []string{"routes", e.Route, e.Field}
			switch {
			case e.Route == "" && e.Field == "":
				place = nil
			case e.Route == "":
				place = []string{e.Field}
			case e.Field == "":
				place = place[:2]
			}
			found := slices.ContainsFunc(places, func(p []string) bool { return len(p) >= len(place) && slices.Equal(p[:len(place)], place) })
			cannot := slices.ContainsFunc(beyondSchema, func(reason string) bool { return strings.Contains(e.Reason, reason) })
			if !found && !cannot {
				t.Errorf("%s: the schema has nothing at %q, the loader says %q", path, place, e)
			}
		}
	}
}

// faultPlaces returns where in the document err has its causes.
func faultPlaces(err error) (places [][]string) {
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		place := e.InstanceLocation
		if k, ok := e.ErrorKind.(*kind.PropertyNames); ok {
			place = append(slices.Clone(place), k.Property)
		}
		places = append(places, place)
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	if e, ok := err.(*jsonschema.ValidationError); ok {
		walk(e)
	}
	return places
}

func TestEveryFieldOfAPolicyIsAKey(t *testing.T) {
	except := map[string]string{
		"OriginSource":    "it is code",
		"OverrideHandler": "it is what upstream-headers says",
	}
	keys := make(map[string]bool)
	for key := range schema(t).Properties["routes"].AdditionalProperties.(*jsonschema.Schema).Ref.AnyOf[1].Ref.Properties {
		keys[strings.ReplaceAll(key, "-", "")] = true
	}
	for f := range reflect.TypeFor[cors.Policy]().Fields() {
		if except[f.Name] == "" && !keys[strings.ToLower(f.Name)] {
			t.Errorf("the schema has no key for Policy.%s", f.Name)
		}
	}
}
