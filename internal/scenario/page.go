package scenario

import (
	"io"
	"net/http/httptest"
	"strings"
)

// answerPage lets the page's handler answer.
func (s *Stage) answerPage(method, target, body string) string {
	w := httptest.NewRecorder()
	s.page.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	res := w.Result()
	answer := Answer{Status: res.StatusCode}
	for name, values := range res.Header {
		for _, v := range values {
			answer.Headers = append(answer.Headers, [2]string{name, v})
		}
	}
	text, _ := io.ReadAll(res.Body)
	answer.Body = string(text)
	return format(method, answer)
}
