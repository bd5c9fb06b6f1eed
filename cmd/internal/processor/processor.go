// Package processor is the verb cors envoy without what carries it out, which is
// a program of its own.
package processor

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/crossorigin/cors/cmd/internal/cli"
)

// Program carries the verb out. It is not in the program cors, since gRPC and
// Envoy's messages would cost whoever runs cors serve 1.3 ms at each start, and
// 4 MB.
const Program = "cors-envoy"

// Flags are those of the verb.
type Flags struct {
	Policy, Listen, Admin      string
	Drain                      time.Duration
	Certificate, Key, ClientCA string
}

// New returns the verb, which is carried out by run. Its name is that of command.
func New(command string, run func(*cobra.Command, *Flags) error) *cobra.Command {
	var f Flags
	cmd := &cobra.Command{
		Use:   command,
		Short: "keep a CORS policy inside Envoy, as its external processor",
		Example: `  cors envoy --policy cors.yaml
  cors envoy --policy cors.yaml --listen :9001 --admin :9090 \
             --tls-cert cert.pem --tls-key key.pem --tls-client-ca envoys.pem`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, &f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.Policy, "policy", "", "`file` with routes and policies; it is read again when it changes")
	flags.StringVar(&f.Listen, "listen", "127.0.0.1:9001", "`address` to listen on for Envoy")
	flags.StringVar(&f.Admin, "admin", "", "`address` for /healthz, /readyz and /metrics")
	flags.DurationVar(&f.Drain, "drain", 25*time.Second, "how long exchanges may take to end on SIGTERM")
	flags.StringVar(&f.Certificate, "tls-cert", "", "PEM `file` of the certificate")
	flags.StringVar(&f.Key, "tls-key", "", "PEM `file` of its key")
	flags.StringVar(&f.ClientCA, "tls-client-ca", "", "PEM `file` of the authority of the only clients let in")
	return cmd
}
