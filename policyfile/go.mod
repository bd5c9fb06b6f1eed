module github.com/crossorigin/cors/policyfile

go 1.26.0

replace github.com/crossorigin/cors => ../
