package json

import (
	"time"
	"unsafe"

	"freshet/schemas"
)

// ParseTime reads a point in time as text and returns Unix milliseconds, rounded towards minus infinity. It accepts
// RFC 3339 ("2018-04-01T00:00:31Z", "…+02:00", fractions of any length), the same with a space or without a zone
// (read as UTC), and a date alone (midnight UTC). It allocates nothing.
func ParseTime(s []byte) (ms int64, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y1, ok1 := two(s, 0)
	y2, ok2 := two(s, 2)
	mo, ok3 := two(s, 5)
	d, ok4 := two(s, 8)
	y := y1*100 + y2
	if !(ok1 && ok2 && ok3 && ok4) || mo < 1 || mo > 12 || d < 1 || d > monthDays(y, mo) {
		return 0, false
	}
	ms = days(y, mo, d) * 86_400_000
	if len(s) == 10 {
		return ms, true
	}
	if len(s) < 19 || (s[10] != 'T' && s[10] != ' ' && s[10] != 't') || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	h, ok1 := two(s, 11)
	mi, ok2 := two(s, 14)
	sec, ok3 := two(s, 17)
	if !(ok1 && ok2 && ok3) || h > 23 || mi > 59 || sec > 59 { // no leap seconds, as package time
		return 0, false
	}
	ms += int64(h)*3_600_000 + int64(mi)*60_000 + int64(sec)*1000
	i := 19
	if i < len(s) && s[i] == '.' {
		i++
		scale, start := int64(100), i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			ms += int64(s[i]-'0') * scale
			scale /= 10
		}
		if i == start {
			return 0, false
		}
	}
	switch {
	case i == len(s):
		return ms, true
	case s[i] == 'Z' || s[i] == 'z':
		return ms, i+1 == len(s)
	case (s[i] == '+' || s[i] == '-') && len(s) == i+6 && s[i+3] == ':':
		zh, ok1 := two(s, i+1)
		zm, ok2 := two(s, i+4)
		if !ok1 || !ok2 || zh > 23 || zm > 59 {
			return 0, false
		}
		z := int64(zh)*3_600_000 + int64(zm)*60_000
		if s[i] == '-' {
			z = -z
		}
		return ms - z, true
	}
	return 0, false
}

func two(s []byte, i int) (int, bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

func monthDays(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// days counts from 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", days_from_civil).
func days(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

// maxMs is the largest whole number of milliseconds that a Num slot keeps exactly.
const maxMs = 1 << 53

// MillisOf converts a number in unit u to Unix milliseconds; ok is false beyond ±2^53 ms, where a column cannot hold it.
func MillisOf(u schemas.TimeUnit, v int64) (ms int64, ok bool) {
	ms, ok = u.ToMillis(v)
	return ms, ok && ms <= maxMs && ms >= -maxMs
}

// MillisOfFloat is MillisOf for a number with a fraction (seconds with decimals); NaN and infinities are not ok.
func MillisOfFloat(u schemas.TimeUnit, v float64) (ms int64, ok bool) {
	switch u {
	case schemas.Seconds:
		v *= 1000
	case schemas.Micros:
		v /= 1000
	case schemas.Nanos:
		v /= 1e6
	}
	if !(v >= -maxMs && v <= maxMs) {
		return 0, false
	}
	ms = int64(v)
	if float64(ms) > v {
		ms--
	}
	return ms, true
}

// TimeOf reads a time from text: a plain number in unit u, or what ParseTime accepts.
func TimeOf(u schemas.TimeUnit, s []byte) (ms int64, ok bool) {
	if v, isInt := ParseInt(s); isInt {
		return MillisOf(u, v)
	}
	if ms, ok = ParseTime(s); ok {
		return ms, true
	}
	if v, isFloat := ParseFloat(s); isFloat {
		return MillisOfFloat(u, v)
	}
	return 0, false
}

// AppendTime appends ms as RFC 3339 in UTC with milliseconds where there are any, without quotes.
func AppendTime(dst []byte, ms int64) []byte {
	return time.UnixMilli(ms).UTC().AppendFormat(dst, "2006-01-02T15:04:05.999Z07:00")
}

func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
