package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"cors": main})
}

// TestScripts runs testdata/script, which reads as a manual of the command.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Cmds:                serveCommands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("LANG", "en_GB.UTF-8")
			broken := httptest.NewServer(http.HandlerFunc(answerBrokenly))
			env.Defer(broken.Close)
			env.Setenv("BROKEN", broken.URL)
			return nil
		},
	})
}
