package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	chicors "github.com/go-chi/cors"
	"github.com/gofiber/fiber/v3"
	fibercors "github.com/gofiber/fiber/v3/middleware/cors"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	rscors "github.com/rs/cors"
	"github.com/valyala/fasthttp"

	"github.com/crossorigin/cors"
)

// A request is what a scenario sends, to servers of net/http and of fasthttp.
type request struct {
	method string
	header http.Header
}

// An instance is a subject with a policy, and one request ready for it. Both
// serve and answer may be called again and again.
type instance struct {
	serve  func()
	answer func() (status int, header http.Header)
	origin func(string) // changes the request's
}

// A subject puts a policy around a handler that does nothing. It returns nil
// where its configuration has no words for the policy.
type subject struct {
	name string
	make func(p cors.Policy, r request) *instance
}

var subjects = []subject{
	{"bare", func(_ cors.Policy, r request) *instance { return overHTTP(nothing, r) }},
	{"cors", func(p cors.Policy, r request) *instance { return overHTTP(newCORS(p).Wrap(nothing), r) }},
	{"rs", func(p cors.Policy, r request) *instance {
		c := rscors.New(rscors.Options{
			AllowedOrigins: p.Origins, AllowedMethods: p.Methods, AllowedHeaders: p.RequestHeaders, ExposedHeaders: p.ExposedHeaders,
			AllowCredentials: p.Credentials, MaxAge: seconds(p),
		})
		return overHTTP(c.Handler(nothing), r)
	}},
	{"chi", func(p cors.Policy, r request) *instance {
		c := chicors.Handler(chicors.Options{
			AllowedOrigins: p.Origins, AllowedMethods: p.Methods, AllowedHeaders: p.RequestHeaders, ExposedHeaders: p.ExposedHeaders,
			AllowCredentials: p.Credentials, MaxAge: seconds(p),
		})
		return overHTTP(c(nothing), r)
	}},
	{"gorilla", func(p cors.Policy, r request) *instance {
		if hasWildcards(p) {
			return nil
		}
		options := []handlers.CORSOption{
			handlers.AllowedOrigins(p.Origins), handlers.AllowedMethods(p.Methods), handlers.AllowedHeaders(p.RequestHeaders),
			handlers.ExposedHeaders(p.ExposedHeaders), handlers.MaxAge(seconds(p)),
		}
		if p.Credentials {
			options = append(options, handlers.AllowCredentials())
		}
		return overHTTP(handlers.CORS(options...)(nothing), r)
	}},
	{"gin", func(p cors.Policy, r request) *instance {
		return overGin(r, gincors.New(gincors.Config{
			AllowOrigins: p.Origins, AllowMethods: p.Methods, AllowHeaders: p.RequestHeaders, ExposeHeaders: p.ExposedHeaders,
			AllowCredentials: p.Credentials, MaxAge: p.MaxAge, AllowWildcard: true,
		}))
	}},
	{"gin-bare", func(_ cors.Policy, r request) *instance { return overGin(r) }},
	{"echo", func(p cors.Policy, r request) *instance {
		if hasWildcards(p) {
			return nil
		}
		return overEcho(r, middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins: p.Origins, AllowMethods: p.Methods, AllowHeaders: p.RequestHeaders, ExposeHeaders: p.ExposedHeaders,
			AllowCredentials: p.Credentials, MaxAge: seconds(p),
		}))
	}},
	{"echo-bare", func(_ cors.Policy, r request) *instance { return overEcho(r) }},
	{"fiber", func(p cors.Policy, r request) *instance {
		return overFiber(r, fibercors.New(fibercors.Config{
			AllowOrigins: p.Origins, AllowMethods: p.Methods, AllowHeaders: p.RequestHeaders, ExposeHeaders: p.ExposedHeaders,
			AllowCredentials: p.Credentials, MaxAge: seconds(p),
		}))
	}},
	{"fiber-bare", func(_ cors.Policy, r request) *instance { return overFiber(r) }},
}

// observed is cors with an observer, of which its peers have none.
var observed = subject{"cors", func(p cors.Policy, r request) *instance {
	m := newCORS(p)
	m.Observe(func(_ *http.Request, d cors.Decision) { allowed = d.Allowed })
	return overHTTP(m.Wrap(nothing), r)
}}

var allowed bool // what an observer was told last

func newCORS(p cors.Policy) *cors.Middleware {
	m, err := cors.New(p)
	if err != nil {
		panic(err)
	}
	return m
}

func seconds(p cors.Policy) int { return int(p.MaxAge / time.Second) }

func hasWildcards(p cors.Policy) bool {
	return slices.ContainsFunc(p.Origins, func(o string) bool { return len(o) > 1 && strings.Contains(o, "*") })
}

var nothing = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })

// A writer is used again, and its header map too, so that the numbers are those
// of the middleware.
type writer struct {
	header http.Header
	status int
}

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) WriteHeader(status int)      { w.status = status }
func (w *writer) Write(b []byte) (int, error) { return len(b), nil }

func overHTTP(handler http.Handler, r request) *instance {
	in, err := http.NewRequest(r.method, "http://api.example/x", nil)
	if err != nil {
		panic(err)
	}
	in.RequestURI, in.RemoteAddr = "/x", "192.0.2.1:1234"
	in.Header = r.header.Clone()
	w := &writer{header: make(http.Header)}
	serve := func() {
		clear(w.header)
		w.status = http.StatusOK
		handler.ServeHTTP(w, in)
	}
	return &instance{
		serve: serve,
		answer: func() (int, http.Header) {
			serve()
			return w.status, w.header
		},
		origin: func(o string) { in.Header["Origin"][0] = o },
	}
}

func overGin(r request, use ...gin.HandlerFunc) *instance {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(use...)
	e.Any("/x", func(c *gin.Context) { c.Status(http.StatusOK) })
	return overHTTP(e, r)
}

func overEcho(r request, use ...echo.MiddlewareFunc) *instance {
	e := echo.New()
	e.Use(use...)
	e.Any("/x", func(c *echo.Context) error { return c.NoContent(http.StatusOK) })
	return overHTTP(e, r)
}

func overFiber(r request, use ...any) *instance {
	app := fiber.New()
	if len(use) > 0 {
		app.Use(use...)
	}
	app.All("/x", func(c fiber.Ctx) error {
		c.Status(http.StatusOK)
		return nil
	})
	handler := app.Handler()
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.SetMethod(r.method)
	ctx.Request.SetRequestURI("http://api.example/x")
	for name, values := range r.header {
		for _, value := range values {
			ctx.Request.Header.Add(name, value)
		}
	}
	serve := func() {
		ctx.Response.Reset()
		handler(&ctx)
	}
	return &instance{
		serve: serve,
		answer: func() (int, http.Header) {
			serve()
			header := make(http.Header)
			for name, value := range ctx.Response.Header.All() {
				header.Add(string(name), string(value))
			}
			return ctx.Response.StatusCode(), header
		},
		origin: func(o string) { ctx.Request.Header.Set("Origin", o) },
	}
}
