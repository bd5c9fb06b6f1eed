// Command fiber lets pages of one origin use a small API on fiber, which is on
// fasthttp: the policy decides without net/http.
//
//	go run ./examples/fiber
package main

import (
	"log"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/crossorigin/cors"
	"github.com/crossorigin/cors/header"
)

func main() {
	app, err := newApp()
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(app.Listen("localhost:8080"))
}

func newApp() (*fiber.App, error) {
	mw, err := cors.New(cors.Policy{
		Origins:        []string{"http://localhost:5173", "https://app.example.com"},
		Methods:        []string{"PUT"},
		RequestHeaders: []string{"Authorization", "Content-Type"},
		Credentials:    true,
		MaxAge:         10 * time.Minute,
	})
	if err != nil {
		return nil, err
	}
	app := fiber.New()
	app.Use(keep(mw))
	answer := func(c fiber.Ctx) error { return c.JSON(c.Path()) }
	app.Get("/users", answer)
	app.Put("/users/:id", answer)
	return app, nil
}

// keep has fiber keep a policy. It is all that a server which is not of net/http
// needs: what the decision depends on goes in, and headers and a status come out.
func keep(mw *cors.Middleware) fiber.Handler {
	return func(c fiber.Ctx) error {
		d := mw.Decide(c.Context(), cors.Request{
			Method:                             c.Method(),
			Origin:                             lines(c, header.Origin),
			AccessControlRequestMethod:         lines(c, header.AccessControlRequestMethod),
			AccessControlRequestHeaders:        lines(c, header.AccessControlRequestHeaders),
			AccessControlRequestPrivateNetwork: lines(c, header.AccessControlRequestPrivateNetwork),
		})
		for name, value := range d.Fields() {
			c.Response().Header.Add(name, value)
		}
		if d.Kind == cors.Preflight {
			c.Status(d.Status())
			return nil
		}
		return c.Next()
	}
}

// lines returns the lines of a header in strings of their own: fasthttp uses its
// buffers again.
func lines(c fiber.Ctx, name string) []string {
	var lines []string
	for _, line := range c.Request().Header.PeekAll(name) {
		lines = append(lines, string(line))
	}
	return lines
}
