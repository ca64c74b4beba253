package streams

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"
)

const durationForm = "a duration such as 30s, 5m, 24h, 7d or 2w"

var durationUnits = []struct {
	name string
	unit time.Duration
}{
	{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour},
}

// ParseDuration reads 250ms, 30s, 5m, 24h, 7d, 2w, 1.5h or several of these in a row (1h30m). A day has 24 hours.
// It is never negative and a whole number of milliseconds.
func ParseDuration(s string) (Duration, error) {
	text := strings.TrimSpace(s)
	wrong := func(why string) (Duration, error) {
		return 0, fmt.Errorf("bad duration %q: %s, expected %s", cut(s), why, durationForm)
	}
	if text == "0" {
		return 0, nil
	}
	if text == "" {
		return wrong("empty")
	}
	total := 0.0
	for text != "" {
		n := 0
		for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] == '.') {
			n++
		}
		v, err := strconv.ParseFloat(text[:n], 64)
		if n == 0 || err != nil {
			return wrong("no number")
		}
		text = text[n:]
		n = 0
		for n < len(text) && text[n] >= 'a' && text[n] <= 'z' {
			n++
		}
		unit := time.Duration(0)
		for _, u := range durationUnits {
			if u.name == text[:n] {
				unit = u.unit
			}
		}
		if unit == 0 && n == 0 && len(text) == 0 {
			return wrong("no unit")
		}
		if unit == 0 {
			return wrong(fmt.Sprintf("unknown unit %q", cut(text)))
		}
		text = text[n:]
		total += v * float64(unit)
	}
	if total >= math.MaxInt64/2 {
		return wrong("too long")
	}
	d := time.Duration(math.Round(total))
	if d%time.Millisecond != 0 {
		return wrong("not a whole number of milliseconds")
	}
	return Duration(d), nil
}

// String is the shortest text that reads back: the largest unit that divides it.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	for i := len(durationUnits) - 2; i >= 0; i-- { // weeks are written as days
		if u := durationUnits[i]; time.Duration(d)%u.unit == 0 && (u.name != "d" || time.Duration(d) > u.unit) {
			return strconv.FormatInt(int64(time.Duration(d)/u.unit), 10) + u.name
		}
	}
	return time.Duration(d).String()
}

func itemPath(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func sorted(names []string) []string {
	sort.Strings(names)
	return names
}
