package curl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/crossorigin/cors/fetch"
	"github.com/crossorigin/cors/header"
)

// Asked is what a page asked for, as far as a curl command tells.
type Asked struct {
	// Page is the URL of the page, or its origin, or "null"; "" where the command
	// does not tell.
	Page     string
	Request  *fetch.Request
	Cookies  []string // each "name=value"
	Insecure bool     // certificates are not to be judged

	// Left holds the headers that were left out, since a browser writes them
	// itself.
	Left []string
}

// Parse reads a command as it was pasted, in the quoting of bash or cmd.exe.
func Parse(command string) (*Asked, error) {
	words, err := split(command)
	if err != nil {
		return nil, fmt.Errorf("curl: %w", err)
	}
	return ParseArgs(words)
}

// ParseArgs reads the words of a command that a shell has taken apart.
func ParseArgs(words []string) (*Asked, error) {
	if len(words) > 0 && isCurl(words[0]) {
		words = words[1:]
	}
	c := command{asked: &Asked{Request: &fetch.Request{}}}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		var err error
		switch {
		case word == "--":
		case strings.HasPrefix(word, "--"):
			words, err = c.long(word, words)
		case strings.HasPrefix(word, "-") && word != "-":
			words, err = c.short(word[1:], words)
		default:
			err = c.url(word)
		}
		if err != nil {
			return nil, fmt.Errorf("curl: %w", err)
		}
	}
	asked, err := c.finish()
	if err != nil {
		return nil, fmt.Errorf("curl: %w", err)
	}
	return asked, nil
}

func isCurl(word string) bool {
	word = strings.ToLower(word[strings.LastIndexAny(word, `/\`)+1:])
	return word == "curl" || word == "curl.exe"
}

// command is a curl command as it is read.
type command struct {
	asked   *Asked
	data    []string
	hasData bool
	form    []string
	get     bool
	head    bool
	json    bool
}

// withValue are the options that take a value and change nothing that a page
// could see.
var withValue = map[string]bool{
	"-o": true, "--output": true, "-x": true, "--proxy": true, "-m": true, "--max-time": true, "--connect-timeout": true, "--resolve": true,
	"-w": true, "--write-out": true, "--retry": true, "--cacert": true, "--capath": true, "-c": true, "--cookie-jar": true, "--max-redirs": true,
	"-E": true, "--cert": true, "--key": true, "--interface": true, "--limit-rate": true, "--ciphers": true, "--tls-max": true, "-D": true, "--dump-header": true,
	"--retry-delay": true, "--retry-max-time": true, "--connect-to": true, "-K": true, "--config": true, "--noproxy": true, "--proxy-user": true, "-U": true, "--trace": true, "--trace-ascii": true, "--stderr": true, "--aws-sigv4": true, "--unix-socket": true,
}

// withoutValue are those that take none.
var withoutValue = map[string]bool{
	"--compressed": true, "-s": true, "--silent": true, "-S": true, "--show-error": true, "-v": true, "--verbose": true, "-i": true, "--include": true, "-L": true, "--location": true,
	"-f": true, "--fail": true, "--fail-with-body": true, "-#": true, "--progress-bar": true, "--http1.0": true, "--http1.1": true, "--http2": true, "--http3": true, "--http2-prior-knowledge": true,
	"-O": true, "--remote-name": true, "-4": true, "--ipv4": true, "-6": true, "--ipv6": true, "-N": true, "--no-buffer": true, "--path-as-is": true, "-g": true, "--globoff": true,
	"--location-trusted": true, "--tcp-nodelay": true, "--no-keepalive": true, "-q": true, "--disable": true, "--ssl-reqd": true, "--tlsv1": true, "--tlsv1.2": true, "--tlsv1.3": true, "-J": true, "--remote-header-name": true, "--anyauth": true, "--basic": true, "--digest": true, "--no-progress-meter": true, "--raw": true, "--post301": true, "--post302": true, "--post303": true,
}

// means gives the long name of options that matter.
var means = map[byte]string{
	'X': "--request", 'H': "--header", 'd': "--data", 'F': "--form", 'b': "--cookie", 'u': "--user", 'A': "--user-agent", 'e': "--referer", 'I': "--head", 'G': "--get", 'k': "--insecure",
}

func (c *command) long(option string, rest []string) ([]string, error) {
	name, value, hasValue := strings.Cut(option, "=") // curl does not, and people do
	if withoutValue[name] && !hasValue {
		return rest, nil
	}
	if done, err := c.flag(name); done || err != nil {
		return rest, err
	}
	if !hasValue {
		if len(rest) == 0 {
			if !withValue[name] && !takes[name] {
				return nil, unknown(name)
			}
			return nil, fmt.Errorf("%s has no value", name)
		}
		value = rest[0]
	}
	switch {
	case withValue[name]:
	case takes[name]:
		if err := c.take(name, value); err != nil {
			return nil, err
		}
	default:
		return nil, unknown(name)
	}
	if hasValue {
		return rest, nil
	}
	return rest[1:], nil
}

func (c *command) short(options string, rest []string) ([]string, error) {
	for options != "" {
		short := options[0]
		options = options[1:]
		name := means[short]
		if name == "" {
			name = "-" + string(short)
		}
		if withoutValue[name] {
			continue
		}
		if done, err := c.flag(name); done || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if !withValue[name] && !takes[name] {
			return nil, unknown(name)
		}
		value := options
		if value == "" {
			if len(rest) == 0 {
				return nil, fmt.Errorf("-%c has no value", short)
			}
			value, rest = rest[0], rest[1:]
		}
		if takes[name] {
			return rest, c.take(name, value)
		}
		return rest, nil
	}
	return rest, nil
}

func unknown(option string) error {
	return fmt.Errorf("%q is not an option that is known here; leave it out", option)
}

// flag takes an option without a value that matters.
func (c *command) flag(name string) (done bool, err error) {
	switch name {
	case "--get":
		c.get = true
	case "--head":
		c.head = true
	case "--insecure":
		c.asked.Insecure = true
	default:
		return false, nil
	}
	return true, nil
}

// takes are the options with a value that matter.
var takes = map[string]bool{
	"--url": true, "--request": true, "--header": true, "--data": true, "--data-raw": true, "--data-ascii": true, "--data-binary": true, "--data-urlencode": true,
	"--json": true, "--form": true, "--form-string": true, "--cookie": true, "--user": true, "--user-agent": true, "--referer": true, "--oauth2-bearer": true, "--range": true, "-r": true,
}

func (c *command) take(name, value string) error {
	switch name {
	case "--url":
		return c.url(value)
	case "--request":
		c.asked.Request.Method = value
	case "--header":
		return c.header(value)
	case "--json":
		c.json = true
		fallthrough
	case "--data", "--data-ascii", "--data-binary":
		if strings.HasPrefix(value, "@") {
			return fmt.Errorf("%s %q: files are not read; give it to cors explain as -d %s", name, value, value)
		}
		c.addData(value)
	case "--data-raw":
		c.addData(value)
	case "--data-urlencode":
		key, text, ok := strings.Cut(value, "=")
		if !ok {
			key, text = "", value
		}
		if key != "" {
			key += "="
		}
		c.addData(key + url.QueryEscape(text))
	case "--form", "--form-string":
		c.form = append(c.form, value)
	case "--cookie":
		if !strings.Contains(value, "=") {
			return fmt.Errorf("--cookie %q: files are not read; write name=value", value)
		}
		c.cookies(value)
	case "--user":
		c.add("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value)))
	case "--oauth2-bearer":
		c.add("Authorization", "Bearer "+value)
	case "--range", "-r":
		c.add("Range", "bytes="+value)
	case "--referer":
		return c.header("Referer: " + value)
	case "--user-agent":
		c.asked.Left = append(c.asked.Left, "User-Agent")
	}
	return nil
}

func (c *command) addData(data string) {
	c.data = append(c.data, data)
	c.hasData = true
}

func (c *command) add(name, value string) {
	c.asked.Request.Header = append(c.asked.Request.Header, header.Field{Name: name, Value: value})
}

func (c *command) url(word string) error {
	if c.asked.Request.URL != "" {
		return fmt.Errorf("there are two URLs, %q and %q; give one", c.asked.Request.URL, word)
	}
	if !strings.Contains(word, "://") {
		word = "http://" + word // as curl does
	}
	c.asked.Request.URL = word
	return nil
}

func (c *command) cookies(value string) {
	for pair := range strings.SplitSeq(value, ";") {
		if pair = strings.TrimSpace(pair); pair != "" {
			c.asked.Cookies = append(c.asked.Cookies, pair)
		}
	}
	c.asked.Request.Credentials = fetch.CredentialsInclude
}

// header sorts a header by who wrote it: the page, or the browser for it.
func (c *command) header(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		if name, ok = strings.CutSuffix(line, ";"); !ok { // a header without a value
			return fmt.Errorf("header %q has no colon; write name: value", line)
		}
	}
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !header.IsToken(strings.TrimPrefix(name, ":")) {
		return fmt.Errorf("header %q: %q is no header name", line, name)
	}
	switch lower := header.Lower(name); lower {
	case "origin":
		c.asked.Page = value
		return nil
	case "referer":
		c.asked.Request.Referrer = value
		c.asked.Left = append(c.asked.Left, name)
		return nil
	case "cookie":
		c.cookies(value)
		return nil
	case "sec-fetch-mode":
		if value == "no-cors" || value == "same-origin" {
			c.asked.Request.Mode = fetch.Mode(value)
		}
	case "accept":
		if value != "*/*" {
			c.add(name, value)
			return nil
		}
	case ":authority", ":method", ":path", ":scheme", "user-agent", "priority", "accept-language", "pragma":
	case "cache-control":
		if value != "no-cache" && value != "max-age=0" {
			c.add(name, value)
			return nil
		}
	default:
		if !header.IsForbiddenRequest(name, value) {
			c.add(name, value)
			return nil
		}
	}
	c.asked.Left = append(c.asked.Left, name)
	return nil
}

func (c *command) finish() (*Asked, error) {
	a := c.asked
	r := a.Request
	if r.URL == "" {
		return nil, errors.New("there is no URL in the command")
	}
	if a.Page == "" && strings.Contains(r.Referrer, "://") {
		a.Page = r.Referrer
	}
	r.Referrer = ""
	switch {
	case c.get:
		if c.hasData {
			separator := "?"
			if strings.Contains(r.URL, "?") {
				separator = "&"
			}
			r.URL += separator + strings.Join(c.data, "&")
		}
	case len(c.form) > 0:
		c.multipart()
	case c.hasData:
		r.Body = []byte(strings.Join(c.data, "&"))
		contentType := "application/x-www-form-urlencoded"
		if c.json {
			contentType = "application/json"
			if !c.has("Accept") {
				c.add("Accept", "application/json")
			}
		}
		if !c.has("Content-Type") {
			c.add("Content-Type", contentType)
		}
	}
	switch {
	case r.Method != "":
	case c.head:
		r.Method = "HEAD"
	case r.Body != nil:
		r.Method = "POST"
	}
	if m := header.NormalizeMethod(r.Method); r.Body != nil && (m == "GET" || m == "HEAD") {
		return nil, fmt.Errorf("no page sends a body with %s; leave out the data, or use POST", m)
	}
	return a, nil
}

func (c *command) has(name string) bool {
	for _, f := range c.asked.Request.Header {
		if header.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// multipart writes the form. What is in its files does not matter to CORS, and
// they are not read.
func (c *command) multipart() {
	const boundary = "----cors"
	var b strings.Builder
	for _, part := range c.form {
		name, value, _ := strings.Cut(part, "=")
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, name, value)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	c.asked.Request.Body = []byte(b.String())
	if !c.has("Content-Type") {
		c.add("Content-Type", "multipart/form-data; boundary="+boundary)
	}
}
