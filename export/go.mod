module github.com/crossorigin/cors/export

go 1.26.0

replace github.com/crossorigin/cors => ../

replace github.com/crossorigin/cors/policyfile => ../policyfile

require (
	github.com/BurntSushi/toml v1.6.0
	github.com/crossorigin/cors v0.0.0-00010101000000-000000000000
	github.com/crossorigin/cors/policyfile v0.0.0-00010101000000-000000000000
	github.com/goccy/go-yaml v1.19.2
	github.com/google/go-cmp v0.7.0
)

require (
	github.com/bits-and-blooms/bitset v1.20.0 // indirect
	github.com/nlnwa/whatwg-url v0.6.2 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
