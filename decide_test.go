package cors_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crossorigin/cors"
)

func TestAnAllowedOriginIsReflected(t *testing.T) {
	m, err := cors.New(cors.Policy{Origins: []string{"https://*.example.com"}, Methods: []string{"PUT"}, Credentials: true})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("OPTIONS", "/", nil)
	r.Header.Set("Origin", "https://app.example.com")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	m.Wrap(http.NotFoundHandler()).ServeHTTP(w, r)
	if got := w.Header().Get("Access-Control-Allow-Origin"); got != "https://app.example.com" || w.Code != 204 {
		t.Errorf("Access-Control-Allow-Origin: %q with status %d, want the origin with 204", got, w.Code)
	}
}
