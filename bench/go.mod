module github.com/crossorigin/cors/bench

go 1.26.0

replace github.com/crossorigin/cors => ../
