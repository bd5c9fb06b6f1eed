package main

import (
	"maps"
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
		Cmds:                scriptCommands(),
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

// scriptCommands are what scripts know besides testscript's own commands.
func scriptCommands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	commands := map[string]func(ts *testscript.TestScript, neg bool, args []string){"api": startAPI}
	maps.Copy(commands, serveCommands)
	return commands
}
