// Caddy with its standard modules and http.handlers.cors, as xcaddy builds it.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/crossorigin/cors/caddy"
)

func main() { caddycmd.Main() }
