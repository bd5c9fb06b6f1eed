module github.com/crossorigin/cors/examples

go 1.26.0

replace github.com/crossorigin/cors => ../
