// Command connect lets pages of one origin call a service of connect-go: by the
// Connect protocol, and by gRPC-Web.
//
//	go run ./examples/connect
//	curl localhost:8080/example.v1.Greeter/Greet -H 'Origin: https://app.example.com' -H 'Content-Type: application/json' -d '"Ada"'
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"time"

	"connectrpc.com/connect"
	connectcors "connectrpc.com/cors"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/crossorigin/cors"
)

func main() {
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err)
	}
	// Browsers speak gRPC-Web over HTTP/1.1 and HTTP/2 alike; other clients of gRPC
	// need HTTP/2, here in cleartext.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: "localhost:8080", Handler: handler, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}
	log.Print("listening on http://localhost:8080")
	log.Fatal(server.ListenAndServe())
}

func newHandler() (http.Handler, error) {
	mw, err := cors.New(cors.Policy{
		Origins: []string{"https://app.example.com"},
		// What the protocols send and read is known to connect. Metadata of your own
		// comes beside it: what leaves as a trailer arrives as "Trailer-…".
		Methods:        connectcors.AllowedMethods(),
		RequestHeaders: append(connectcors.AllowedHeaders(), "Authorization"),
		ExposedHeaders: append(connectcors.ExposedHeaders(), "X-Greeted"),
		MaxAge:         2 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(greetProcedure, connect.NewUnaryHandler(greetProcedure, greet))
	return mw.Wrap(mux), nil
}

// greetProcedure would come out of a .proto file, which this example goes
// without.
const greetProcedure = "/example.v1.Greeter/Greet"

func greet(_ context.Context, req *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
	if req.Msg.Value == "" {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("a name is missing"))
	}
	res := connect.NewResponse(wrapperspb.String("Hello, " + req.Msg.Value))
	res.Header().Set("X-Greeted", req.Msg.Value)
	return res, nil
}
