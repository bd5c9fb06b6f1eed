package report_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/crossorigin/cors/cmd/internal/report"
)

func TestExitSaysWhatIsWrongAndHowToMendIt(t *testing.T) {
	tests := []struct {
		row    string
		err    error
		code   int
		stderr string
	}{
		{"nothing is wrong", nil, 0, ""},
		{"findings speak for themselves", &report.Failure{Code: report.Blocked}, 1, ""},
		{"blocked", &report.Failure{Code: report.Blocked, Err: errors.New("no"), Hint: "say yes"}, 1, "cors: error: no\ncors: hint: say yes\n"},
		{"an ordinary error is wrong use", errors.New("what?"), 2, "cors: error: what?\ncors: hint: cors fetch --help shows how\n"},
		{"wrong use with a mend of its own", report.Misused("%d is odd", 3).WithHint("write %d", 4), 2, "cors: error: 3 is odd\ncors: hint: write 4\n"},
		{"escape sequences do not reach the terminal", &report.Failure{Code: report.Unreachable, Err: errors.New("\x1b[31m\xff\u202e")}, 3, `cors: error: \x1b[31m\xff\u202e` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var stderr strings.Builder
			if code := report.Exit(&stderr, "cors fetch", tt.err); code != tt.code || stderr.String() != tt.stderr {
				t.Errorf("Exit(%v) = %d, %q, want %d, %q", tt.err, code, stderr.String(), tt.code, tt.stderr)
			}
		})
	}
}

func TestColourIsAskedFor(t *testing.T) {
	tests := []struct {
		row              string
		noColor, colours string
		want             string
	}{
		{"no terminal", "", "", "bad"},
		{"no terminal, forced", "", "1", "\x1b[1;31mbad\x1b[0m"},
		{"NO_COLOR is stronger", "1", "1", "bad"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColor)
			t.Setenv("FORCE_COLOR", tt.colours)
			t.Setenv("CLICOLOR_FORCE", "")
			if got := report.For(&strings.Builder{}).Bad("bad"); got != tt.want {
				t.Errorf("NO_COLOR=%q FORCE_COLOR=%q: Bad = %q, want %q", tt.noColor, tt.colours, got, tt.want)
			}
		})
	}
}

func TestJSONShowsNothingThatIsNotSeen(t *testing.T) {
	const text = "plain <b> 日本 \u009b2J \u202e \x1b \U000e0041"
	var out strings.Builder
	if err := report.JSON(&out, text); err != nil {
		t.Fatal(err)
	}
	if want := `"plain <b> 日本 \u009b2J \u202e \u001b \udb40\udc41"` + "\n"; out.String() != want {
		t.Errorf("JSON(%q) = %s, want %s", text, out.String(), want)
	}
	var back string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back != text {
		t.Errorf("read back: %q, %v, want %q", back, err, text)
	}
}
