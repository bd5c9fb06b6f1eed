// Package gateway is a reverse proxy whose responses keep a CORS policy.
package gateway
