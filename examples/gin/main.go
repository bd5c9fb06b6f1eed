// Command gin lets pages of one origin use a small API on gin.
//
//	go run ./examples/gin
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/crossorigin/cors"
)

func main() {
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://localhost:8080")
	log.Fatal(http.ListenAndServe("localhost:8080", handler))
}

func newHandler() (http.Handler, error) {
	mw, err := cors.New(cors.Policy{
		Origins:        []string{"https://app.example.com"},
		Methods:        []string{"PUT"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())
	answer := func(c *gin.Context) { c.JSON(http.StatusOK, c.Request.URL.Path) }
	r.GET("/users", answer)
	r.PUT("/users/:id", answer)
	r.GET("/panic", func(*gin.Context) { panic("as it happens") })
	// An Engine is an http.Handler: the policy stands around it, where neither its
	// routes nor its middlewares are in the way.
	return mw.Wrap(r), nil
}
