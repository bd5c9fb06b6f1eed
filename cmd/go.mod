module github.com/crossorigin/cors/cmd

go 1.26.0

replace github.com/crossorigin/cors => ../

replace github.com/crossorigin/cors/policyfile => ../policyfile
