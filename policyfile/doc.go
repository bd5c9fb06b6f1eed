// Package policyfile reads cors.yaml.
package policyfile
