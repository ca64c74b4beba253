package expr

import "math"

// The calendar of event times: milliseconds since 1970-01-01T00:00:00Z, in UTC, without leap seconds. Fractions are
// floored; times before 1970 work; beyond ±MaxTimeMs (about the years ±275,000, what a date in JavaScript may be) null.

// MaxTimeMs bounds the times that the calendar functions read.
const MaxTimeMs = 8.64e15

const dayMs = 86_400_000

// dayAndMs splits a time into the day since 1970-01-01 and the milliseconds in it.
func dayAndMs(t float64) (day, ms int64, ok bool) {
	if !(math.Abs(t) <= MaxTimeMs) {
		return 0, 0, false
	}
	n := int64(math.Floor(t))
	day, ms = n/dayMs, n%dayMs
	if ms < 0 {
		day, ms = day-1, ms+dayMs
	}
	return day, ms, true
}

func hour(t float64) float64 {
	_, ms, ok := dayAndMs(t)
	if !ok {
		return math.NaN()
	}
	return float64(ms / 3_600_000)
}

// dayOfWeek: 1970-01-01 was a Thursday, 3.
func dayOfWeek(t float64) float64 {
	day, _, ok := dayAndMs(t)
	if !ok {
		return math.NaN()
	}
	return float64(((day+3)%7 + 7) % 7)
}

func weekend(t float64) float64 {
	d := dayOfWeek(t)
	if isNull(d) {
		return d
	}
	return boolToNum(d >= 5)
}

func dayOfMonth(t float64) float64 {
	_, d, ok := monthAndDay(t)
	if !ok {
		return math.NaN()
	}
	return float64(d)
}

func month(t float64) float64 {
	m, _, ok := monthAndDay(t)
	if !ok {
		return math.NaN()
	}
	return float64(m)
}

// monthAndDay is the proleptic Gregorian calendar, in years that start in March so that the leap day comes last: then
// the months' lengths repeat 31 30 31 30 31, and (153 m + 2) / 5 counts the days before month m.
func monthAndDay(t float64) (m, d int64, ok bool) {
	day, _, ok := dayAndMs(t)
	if !ok {
		return 0, 0, false
	}
	const era = 146_097        // days in 400 years
	n := (day + 719_468) % era // since a 1 March of a year 400·k
	if n < 0 {
		n += era
	}
	year := (n - n/1460 + n/36_524 - n/146_096) / 365 // of the era
	n -= 365*year + year/4 - year/100
	m = (5*n + 2) / 153
	d = n - (153*m+2)/5 + 1
	if m < 10 {
		return m + 3, d, true
	}
	return m - 9, d, true
}
