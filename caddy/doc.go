// Package caddycors is cors.yaml inside Caddy: the module http.handlers.cors,
// and the directive of the Caddyfile that is named cors.
//
//	example.com {
//		cors https://app.example.com {
//			methods PUT DELETE
//			request_headers Authorization Content-Type
//			credentials
//		}
//		reverse_proxy localhost:3000
//	}
package caddycors
