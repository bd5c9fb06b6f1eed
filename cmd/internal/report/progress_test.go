package report

import (
	"strings"
	"testing"
	"time"
)

func TestProgressIsShownWhereARunIsLong(t *testing.T) {
	tests := []struct {
		row  string
		step time.Duration
		want string
	}{
		{"a short run", 10 * time.Millisecond, ""},
		{"a long run", 500 * time.Millisecond, "\rverify [===============               ] 2 of 4" +
			"\rverify [======================        ] 3 of 4\rverify [==============================] 4 of 4\r\x1b[K"},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			var shown strings.Builder
			now := time.Unix(0, 0)
			p := newProgress(&shown, "verify", 4, func() time.Time { return now })
			for range 4 {
				now = now.Add(tt.step)
				p.Step()
			}
			p.End()
			if got := shown.String(); got != tt.want {
				t.Errorf("shown: %q, want %q", got, tt.want)
			}
		})
	}
}

func TestProgressOfWhatHasNoKnownEndIsANumber(t *testing.T) {
	var shown strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&shown, "audit", 0, func() time.Time { return now })
	for range 2 {
		now = now.Add(time.Second)
		p.Step()
	}
	if got, want := shown.String(), "\raudit: 1\raudit: 2"; got != want {
		t.Errorf("shown: %q, want %q", got, want)
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	var shown strings.Builder
	p := NewProgress(&shown, "verify", 1)
	p.from = time.Time{} // long ago
	p.Step()
	p.End()
	if shown.Len() > 0 {
		t.Errorf("shown: %q where there is no terminal", shown.String())
	}
}
