package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/crossorigin/cors"
)

var noon = time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)

// total is what has been counted since the start.
func total(allowed, origin, method uint64) (c counts) {
	c[cors.ReasonNone], c[cors.ReasonOrigin], c[cors.ReasonMethod] = allowed, origin, method
	return c
}

// steps are those of h in which something was counted, by the second after noon.
func steps(h *history, span string) map[string]string {
	told, _ := h.of(span)
	found := make(map[string]string)
	for _, s := range told.Series {
		for i, n := range s.Counts {
			if n > 0 {
				found[fmt.Sprintf("%s %+d", s.Reason, told.Times[i]-noon.Unix())] = fmt.Sprint(n)
			}
		}
	}
	return found
}

func TestAHistoryCountsByStep(t *testing.T) {
	h := newHistory(noon)
	h.take(noon.Add(250*time.Millisecond), total(10, 1, 0))
	h.take(noon.Add(900*time.Millisecond), total(15, 1, 2))
	h.take(noon.Add(1100*time.Millisecond), total(16, 1, 2))
	h.take(noon.Add(12*time.Second), total(18, 1, 2))
	h.take(noon.Add(11*time.Minute), total(20, 1, 2))
	for span, want := range map[string]map[string]string{
		"5m":  {"none +660": "2"},
		"1h":  {"none +0": "16", "none +10": "2", "none +660": "2", "origin +0": "1", "method +0": "2"},
		"24h": {"none +0": "18", "none +600": "2", "origin +0": "1", "method +0": "2"},
	} {
		if diff := cmp.Diff(want, steps(h, span)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", span, diff)
		}
	}
}

func TestAHistoryForgetsNothingWhenTheClockGoesBack(t *testing.T) {
	h := newHistory(noon)
	h.take(noon.Add(5*time.Second), total(1, 0, 0))
	h.take(noon.Add(-time.Hour), total(3, 0, 0))
	h.take(noon.Add(6*time.Second), total(4, 0, 0))
	if diff := cmp.Diff(map[string]string{"none +5": "3", "none +6": "1"}, steps(h, "5m")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAHistoryForgetsWhatIsOld(t *testing.T) {
	h := newHistory(noon)
	h.take(noon, total(7, 0, 0))
	for _, later := range []time.Duration{300 * time.Second, 1000 * time.Hour} {
		h.take(noon.Add(later), total(7, 0, 0))
		if got := steps(h, "5m"); len(got) != 0 {
			t.Errorf("after %v there is %v", later, got)
		}
	}
}

func TestTheRateIsOfWholeSeconds(t *testing.T) {
	h := newHistory(noon)
	for i := range 10 {
		h.take(noon.Add(time.Duration(i)*time.Second), total(uint64(i)*100, uint64(i)*20, 0))
	}
	if got := h.perSecond(); got != 120 {
		t.Errorf("%v a second, want 120", got)
	}
}

func TestPagesAskForASpan(t *testing.T) {
	c := newConsole(t)
	for span, want := range map[string]int{"": 300, "5m": 300, "1h": 360, "24h": 288} {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, request(c, "GET", "/live/history?span="+span, ""))
		var told toldHistory
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || len(told.Times) != want {
			t.Errorf("span %q: %d steps, %v, want %d", span, len(told.Times), err, want)
		}
	}
	w := httptest.NewRecorder()
	c.ServeHTTP(w, request(c, "GET", "/live/history?span=1y", ""))
	if w.Code != http.StatusBadRequest || w.Body.String() != "span \"1y\": write 5m, 1h or 24h\n" {
		t.Errorf("a span that there is not: %d %s", w.Code, w.Body)
	}
}
