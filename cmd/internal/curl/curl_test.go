package curl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors/cmd/internal/curl"
	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

func TestParse(t *testing.T) {
	const app = "https://app.example.com"
	tests := []struct {
		row, command string
		want         curl.Asked
	}{
		{"a plain one", `curl https://api.example.com/users`, curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/users"}}},
		{
			"as Chromium copies for bash",
			"curl 'https://api.example.com/users?a=1&b=2' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  -H 'content-type: application/json' \\\n  -b 'sid=abc; theme=dark' \\\n" +
				"  -H 'origin: https://app.example.com' \\\n  -H 'referer: https://app.example.com/' \\\n  -H 'sec-fetch-mode: cors' \\\n  -H 'user-agent: Mozilla/5.0' \\\n  -H 'x-token: 1' \\\n  --data-raw $'{\"name\":\"it\\'s \\u0021\"}' \\\n  --compressed",
			curl.Asked{
				Page: app, Cookies: []string{"sid=abc", "theme=dark"}, Left: []string{"accept", "referer", "sec-fetch-mode", "user-agent"},
				Request: &fetch.Request{
					URL: "https://api.example.com/users?a=1&b=2", Method: "PUT", Credentials: fetch.CredentialsInclude, Body: []byte(`{"name":"it's !"}`),
					Header: []header.Field{{Name: "content-type", Value: "application/json"}, {Name: "x-token", Value: "1"}},
				},
			},
		},
		{
			"as Chromium copies for cmd",
			"curl ^\"https://api.example.com/users?a=1^&b=2^\" ^\n  -H ^\"origin: https://app.example.com^\" ^\n  -H ^\"content-type: application/json^\" ^\n  --data-raw ^\"^{^\\^\"a^\\^\":1^}^\"",
			curl.Asked{Page: app, Request: &fetch.Request{
				URL: "https://api.example.com/users?a=1&b=2", Method: "POST", Body: []byte(`{"a":1}`), Header: []header.Field{{Name: "content-type", Value: "application/json"}},
			}},
		},
		{
			"a line end in data for cmd",
			"curl ^\"https://api.example.com/^\" --data-raw ^\"a^\n\nb^\"",
			curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/", Method: "POST", Body: []byte("a \nb"), Header: []header.Field{{Name: "Content-Type", Value: "application/x-www-form-urlencoded"}}}},
		},
		{
			"short options in one word",
			`curl -sSLXDELETE -H"X-A: 1" api.example.com -k`,
			curl.Asked{Insecure: true, Request: &fetch.Request{URL: "http://api.example.com", Method: "DELETE", Header: []header.Field{{Name: "X-A", Value: "1"}}}},
		},
		{
			"user and password",
			`curl -u me:pw https://api.example.com/`,
			curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/", Header: []header.Field{{Name: "Authorization", Value: "Basic bWU6cHc="}}}},
		},
		{
			"data in the query",
			`curl -G https://api.example.com/ -d a=1 --data-urlencode "b=x y"`,
			curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/?a=1&b=x+y"}},
		},
		{
			"JSON",
			`curl --json '{}' https://api.example.com/`,
			curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/", Method: "POST", Body: []byte("{}"), Header: []header.Field{{Name: "Accept", Value: "application/json"}, {Name: "Content-Type", Value: "application/json"}}}},
		},
		{
			"a form",
			`curl -F a=1 https://api.example.com/`,
			curl.Asked{Request: &fetch.Request{URL: "https://api.example.com/", Method: "POST",
				Body:   []byte("------cors\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n------cors--\r\n"),
				Header: []header.Field{{Name: "Content-Type", Value: "multipart/form-data; boundary=----cors"}}}},
		},
		{
			"the page is where it refers to",
			`curl https://api.example.com/ -e https://app.example.com/page`,
			curl.Asked{Page: "https://app.example.com/page", Left: []string{"Referer"}, Request: &fetch.Request{URL: "https://api.example.com/"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			got, err := curl.Parse(tt.command)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got, cmp.Comparer(func(a, b func(fetch.Event)) bool { return true })); diff != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", tt.command, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ row, command, want string }{
		{"no URL", `curl -v`, "curl: there is no URL in the command"},
		{"two URLs", `curl https://a.example https://b.example`, `curl: there are two URLs, "https://a.example" and "https://b.example"; give one`},
		{"half a command", `curl 'https://a.example`, `curl: 'https://a.example is opened and not closed; paste the whole command`},
		{"a pipe", `curl https://a.example | jq .`, `curl: "|": the command goes on after curl; leave that out`},
		{"a variable", `curl https://a.example -H "Authorization: Bearer $TOKEN"`, `curl: "$TOKEN\"": no shell is here to fill that in; write its value`},
		{"a command in it", "curl https://a.example/`id`", "curl: \"`id`\": no shell is here to fill that in; write its value"},
		{"a file", `curl https://a.example -d @body.json`, `curl: --data "@body.json": files are not read; give it to cors explain as -d @body.json`},
		{"an option that nobody knows", `curl --frobnicate https://a.example`, `curl: "--frobnicate" is not an option that is known here; leave it out`},
		{"an option without its value", `curl https://a.example -H`, `curl: -H has no value`},
		{"a header without a colon", `curl https://a.example -H x`, `curl: header "x" has no colon; write name: value`},
		{"a body with GET", `curl -X GET -d a https://a.example`, `curl: no page sends a body with GET; leave out the data, or use POST`},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			_, err := curl.Parse(tt.command)
			if err == nil || err.Error() != tt.want {
				t.Errorf("Parse(%s): error %v, want %s", tt.command, err, tt.want)
			}
		})
	}
}

// Words that are quoted come back as they were; nothing that is pasted panics.
func FuzzParse(f *testing.F) {
	f.Add("https://a.example/ -H 'x: y'", "a'b")
	f.Add(`^"https://a.example/^" ^`, "")
	f.Add(`$'\x41\u0042\U0001F600\777' "a\"b"`, "\\")
	f.Fuzz(func(t *testing.T, command, word string) {
		_, _ = curl.Parse("curl " + command)
		if strings.ContainsAny(word, "\x00\r") || strings.Contains(word, "^\"") || strings.Contains(word, "^\n") {
			return
		}
		quoted := "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		got, err := curl.Parse("curl https://a.example/ --data-raw " + quoted)
		if err != nil {
			t.Fatalf("Parse: %s: %v", quoted, err)
		}
		if string(got.Request.Body) != word {
			t.Errorf("%s is read as %q, want %q", quoted, got.Request.Body, word)
		}
	})
}
