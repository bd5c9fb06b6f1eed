package policyfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const durationFix = `write one such as "10m", "1h30m", "1d", or a number of seconds`

// maxDuration is what every browser can count.
const maxDuration = (1<<31 - 1) * time.Second

// duration is one or more numbers, each with its unit.
var duration = regexp.MustCompile(`^(?:[0-9]+(?:d|h|m|s))+$`)

var durationPart = regexp.MustCompile(`([0-9]+)(d|h|m|s)`)

// ParseMaxAge reads a [cors.Policy.MaxAge], as a file or a flag gives it: "10m",
// "1h30m", "1d" or, as seconds, "600". Zero that is written is zero that is sent.
// Its errors are of type [*ValueError].
func ParseMaxAge(s string) (time.Duration, error) {
	text := s
	if s != "" && strings.Trim(s, "0123456789") == "" {
		text += "s"
	}
	switch {
	case strings.HasPrefix(s, "-"):
		return 0, &ValueError{s, "a duration is not negative", "write 0 if browsers shall keep no answer, or remove it"}
	case !duration.MatchString(text):
		return 0, &ValueError{s, "this is not a duration", mendedDuration(s)}
	}
	var d time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(part[1], 10, 32)
		unit := map[string]time.Duration{"d": 24 * time.Hour, "h": time.Hour, "m": time.Minute, "s": time.Second}[part[2]]
		if err != nil || time.Duration(n) > maxDuration/unit || d > maxDuration-time.Duration(n)*unit {
			return 0, &ValueError{s, "this is longer than any browser can count", `write "1d": none keeps an answer for longer`}
		}
		d += time.Duration(n) * unit
	}
	if d == 0 {
		return -1, nil
	}
	return d, nil
}

// words is a duration as it is spoken.
var words = regexp.MustCompile(`^(?i)([0-9]+)\s*(s|m|h|d)(?:ec|ecs|econd|econds|in|ins|inute|inutes|r|rs|our|ours|ay|ays)?$`)

// mendedDuration says what to write in place of s.
func mendedDuration(s string) string {
	if m := words.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return fmt.Sprintf("write %q", m[1]+strings.ToLower(m[2]))
	}
	// Go's own has fractions, which mean whole seconds now and then.
	if d, err := time.ParseDuration(s); err == nil {
		if whole := d.Round(time.Second); whole == d && d > 0 {
			return fmt.Sprintf("write %q", shortDuration(d))
		}
		return "write whole seconds: " + fmt.Sprintf("%q", shortDuration(max(d.Round(time.Second), time.Second)))
	}
	return durationFix
}

// shortDuration is d without what is zero.
func shortDuration(d time.Duration) string {
	if day := 24 * time.Hour; d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
