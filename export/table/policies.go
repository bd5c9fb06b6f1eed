package table

// A Policy is a cors.yaml. In its text UPSTREAM is a server that answers as the
// rows say, and CLOSED is one that is not there.
type Policy struct{ Name, Text string }

// Policies are those that the rows are about.
var Policies = []Policy{
	{"credentials for some", `
upstream: UPSTREAM
routes:
  /:
    origins: [https://app.example.com, "https://*.example.com", "http://localhost:3000"]
    methods: [PUT, DELETE]
    request-headers: [Authorization, Content-Type]
    exposed-headers: [X-Request-Id, X-Total]
    credentials: true
    max-age: 10m
`},
	{"public", `
upstream: UPSTREAM
routes:
  /:
    origins: "*"
    methods: "*"
    request-headers: "*"
    exposed-headers: "*"
    max-age: 1d
`},
	{"public, for some methods", `
upstream: UPSTREAM
routes:
  /:
    origins: "*"
    methods: [PUT, DELETE]
    request-headers: [Authorization, Content-Type]
    exposed-headers: "*"
    max-age: 10m
`},
	{"patterns", `
upstream: UPSTREAM
routes:
  /:
    origins:
      - https://*-preview.example.com
      - https://pr-*.example.net
      - http://localhost:*
      - https://shop.example:8443
      - https://*.deep.example:*
      - http://*.plain.example:8080
      - "https://[2001:db8::1]:8443"
      - https://192.0.2.7
      - chrome-extension://abcdefghijklmnopabcdefghijklmnop
      - moz-extension://*
      - tauri://localhost
      - https://the-longest-name-that-anyone-was-ever-given.customers.example.org
      - https://xn--bcher-kva.example
    methods: PATCH
`},
	{"null", `
upstream: UPSTREAM
routes:
  /:
    origins: ["null", https://app.example.com, http://intranet.example]
    methods: [PUT]
    credentials: true
    max-age: 0
    preflight-status: 200
    refused-status: 204
    private-network: true
    insecure-allow-null: true
    insecure-allow-http: true
`},
	{"any origin, with credentials", `
upstream: UPSTREAM
routes:
  /:
    origins: "*"
    methods: PUT
    credentials: true
    exposed-headers: X-Request-Id
    insecure-reflect-any-origin: true
`},
	{"every name but Authorization", `
upstream: UPSTREAM
routes:
  /:
    origins: https://app.example.com
    methods: "*"
    request-headers: "*"
    credentials: true
`},
	{"every name, Authorization too", `
upstream: UPSTREAM
routes:
  /:
    origins: https://app.example.com
    request-headers: ["*", Authorization]
    credentials: true
    preflight-status: 206
    refused-status: 200
`},
	{"odd names", `
upstream: UPSTREAM
routes:
  /:
    origins: https://app.example.com
    methods: [QUERY, M-SEARCH, "x$y", "a|b", "it's"]
    request-headers: ["X-Dollar$", "X-It's", "X-A.B", "X-Per%cent", "X-#", "X-a+b"]
    exposed-headers: ["X-Dollar$", "X-It's", "X-#", "X-Per%cent"]
`},
	{"whose headers", `
upstream: UPSTREAM
x-policy: &policy
  origins: https://app.example.com
  methods: PUT
  exposed-headers: X-Request-Id
  credentials: true
routes:
  /: *policy
  /fill/:
    <<: *policy
    upstream-headers: fill
  /keep/:
    <<: *policy
    upstream-headers: keep
  /shadow/:
    <<: *policy
    shadow: true
  /off/: off
  /closed/:
    <<: *policy
    upstream: CLOSED
  /closed/keep/:
    <<: *policy
    upstream: CLOSED
    upstream-headers: keep
  /closed/shadow/:
    <<: *policy
    upstream: CLOSED
    shadow: true
`},
	{"routes", `
upstream: UPSTREAM
routes:
  /api/:
    origins: https://api-user.example
    max-age: 1m
  /api/admin/:
    origins: https://admin.example
    credentials: true
  /api/exact:
    origins: https://exact.example
  /users/{id}/avatar:
    origins: https://avatar.example
  /users/{id}/:
    origins: https://users.example
  /users/me:
    origins: https://me.example
  /files/{path...}:
    origins: https://files.example
  /only/{$}:
    origins: https://only.example
  /caf%C3%A9/:
    origins: https://cafe.example
  /a.b/:
    origins: https://dot.example
  api.example.com/:
    origins: https://host.example
  api.example.com/api/:
    origins: https://host-api.example
    max-age: 2m
  www.example.com/v1/:
    origins: https://www.example
  /metrics: off
`},
	{"no upstream but a route's", `
routes:
  /api/:
    upstream: UPSTREAM
    origins: https://app.example.com
    methods: PUT
`},
	{"off", `
upstream: UPSTREAM
routes:
  /: off
`},
}
