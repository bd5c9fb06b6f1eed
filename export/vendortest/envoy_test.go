package vendortest

import (
	"testing"

	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	cors "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/crossorigin/cors/export"
)

func TestEnvoy(t *testing.T) {
	each(t, "envoy", func(t *testing.T, files []export.File) {
		var config route.RouteConfiguration
		data := toJSON(t, files[0].Data)
		if err := protojson.Unmarshal(data, &config); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if err := config.ValidateAll(); err != nil {
			t.Error(err)
		}
		for _, host := range config.VirtualHosts {
			for _, r := range host.Routes {
				for name, filter := range r.TypedPerFilterConfig {
					var policy cors.CorsPolicy
					if err := filter.UnmarshalTo(&policy); err != nil {
						t.Fatalf("%s: %s: %v", r.Name, name, err)
					}
					if err := policy.ValidateAll(); err != nil {
						t.Errorf("%s: %s: %v", r.Name, name, err)
					}
				}
			}
		}
	})
}
