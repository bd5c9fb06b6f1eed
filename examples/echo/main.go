// Command echo lets pages of one origin use a small API on echo.
//
//	go run ./examples/echo
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

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
	e := echo.New()
	// With Pre, not with Use: before the router, which knows no OPTIONS.
	e.Pre(echo.WrapMiddleware(mw.Wrap))
	e.Use(middleware.Recover())
	answer := func(c *echo.Context) error { return c.JSON(http.StatusOK, c.Request().URL.Path) }
	e.GET("/users", answer)
	e.PUT("/users/:id", answer)
	e.GET("/panic", func(*echo.Context) error { panic("as it happens") })
	return e, nil
}
