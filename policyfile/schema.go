package policyfile

import _ "embed"

//go:embed cors.schema.json
var schema string

// Schema returns the JSON Schema of cors.yaml, for editors that complete its
// keys and say what each is for.
func Schema() string { return schema }
