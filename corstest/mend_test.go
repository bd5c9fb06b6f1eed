package corstest

import (
	"testing"

	"github.com/crossorigin/cors/fetch"
)

func TestEveryCodeHasAMend(t *testing.T) {
	for _, code := range fetch.Codes() {
		r := &Result{Blocked: &fetch.BlockedError{Code: code}, request: &fetch.Request{}}
		if mend(r) == "" {
			t.Errorf("a fetch blocked because %q gets no advice", code)
		}
	}
}
