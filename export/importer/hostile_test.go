package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossorigin/cors/export/importer"
)

// Whoever writes the file cannot keep the reader busy: without bounds none of
// these ends before the test does.
func TestHostileFilesEnd(t *testing.T) {
	repeat := strings.Repeat
	tests := []struct{ row, source, text string }{
		{"maps that stand for each other", "nginx", `map $b $a { default $b; } map $a $b { default $a; } server { location / { add_header Access-Control-Allow-Origin $a$b$a$b; } }`},
		{"maps of maps", "nginx", mapsOfMaps() + `server { location / { add_header Access-Control-Allow-Origin $m9; } }`},
		{"conditions", "nginx", `server { location / { ` + conditions() + ` add_header Access-Control-Allow-Origin $http_origin; } }`},
		{"locations", "nginx", `server { add_header Access-Control-Allow-Origin *; ` + repeat(`set $x y; `, 2000) + repeat(`location /x/ { return 200; } `, 2000) + `}`},
		{"methods", "nginx", `server { if ($request_method = OPTIONS) { return 204; } add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Methods "` + manyMethods() + `"; }`},
		{"blocks in blocks", "nginx", repeat("a {", 100_000)},
		{"a word without end", "nginx", repeat("a", 500_000)},
		{"Lua without end", "nginx", "x_by_lua_block {" + repeat(`"{`, 100_000)},
		{"expressions", "traefik", "http: {middlewares: {a: {headers: {accessControlAllowOriginListRegex: [" + repeat(`'(x+x+)+y|(a|b|ab)*c{1,500}|https://(.*a){40}', `, 500) + "]}}}}"},
		{"origins", "s3", `[{"AllowedMethods": ["GET"], "AllowedOrigins": [` + manyOrigins() + `"https://a"]}]`},
		{"documents", "gateway-api", repeat("---\nkind: HTTPRoute\n", 20_000)},
		{"XML in XML", "s3", repeat("<CORSRule>", 50_000)},
		{"JSON in JSON", "rs-cors", `{"AllowedOrigins":` + repeat("[", 100_000)},
		{"TOML", "traefik", repeat("[[a]]\n", 80_000)},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			importer.From(tt.source, []byte(tt.text))
		})
	}
}

func mapsOfMaps() string {
	var b strings.Builder
	b.WriteString("map $http_origin $m0 { a b; c d; ~e f; default g; }\n")
	for i := range 9 {
		fmt.Fprintf(&b, "map $m%d $m%d {", i, i+1)
		for j := range 60 {
			fmt.Fprintf(&b, " k%d $m%d$m%d;", j, i, i)
		}
		fmt.Fprintf(&b, " default $m%d$m%d; }\n", i, i)
	}
	return b.String()
}

func conditions() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "if ($http_origin ~ a%d) { set $x%d 1; } ", i, i)
	}
	return b.String()
}

func manyMethods() string {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "M%d, ", i)
	}
	return b.String()
}

func manyOrigins() string {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, `"https://*-%d.*.example.com", `, i)
	}
	return b.String()
}
