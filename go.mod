module github.com/crossorigin/cors

go 1.26.0
