// Package service is what every long-running command has around what it serves:
// a policy file that is watched, health, readiness and metrics.
package service
