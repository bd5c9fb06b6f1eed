// Package policyfile reads cors.yaml: routes, the policy of each, and the
// upstream behind it.
package policyfile
