package drift

import (
	"math"

	"freshet/learners/wire"
)

// Detail explains the newest signal, for a drift event.
type Detail struct {
	Statistic float64 // what was compared
	Threshold float64 // what it exceeded
	Before    float64 // mean (or reference value) before the change; NaN where a detector has none
	After     float64 // mean since the change; NaN where a detector has none
	Effect    float64 // size of the change in standard deviations of the values, 0 or more (see EffectOf for distances); NaN where a detector has none
	Width     uint64  // values in the window that the detector kept, or since its start
}

// Explainer is what detectors offer besides: the numbers behind the newest Drift (zero before the first).
type Explainer interface{ Explain() Detail }

// Severity classes the size of a change, apart from how sure it is: a long window makes sure of tiny changes.
type Severity uint8

// The classes, by Cohen's convention (1988) for differences in standard deviations: 0.2, 0.5 and 0.8.
const (
	UnknownSeverity Severity = iota
	Negligible
	Small
	Medium
	Large
)

// String names the class.
func (s Severity) String() string {
	return [...]string{"unknown", "negligible", "small", "medium", "large"}[s]
}

// Severity classes the effect.
func (d Detail) Severity() Severity { return Classify(d.Effect, 0.2, 0.5, 0.8) }

// Classify returns the class of an effect by the least size of a small, a medium and a large one; NaN is unknown.
func Classify(effect, small, medium, large float64) Severity {
	switch {
	case effect != effect:
		return UnknownSeverity
	case effect >= large:
		return Large
	case effect >= medium:
		return Medium
	case effect >= small:
		return Small
	}
	return Negligible
}

// effect is the size of a change of the mean in standard deviations.
func effect(before, after, variance float64) float64 {
	d := math.Abs(after - before)
	if d == 0 {
		return 0
	}
	e := d / math.Sqrt(variance)
	if !(e <= 1e9) {
		return 1e9 // from or to a constant
	}
	return e
}

// effectOfShare is effect for two shares, by the variance of the first.
func effectOfShare(before, after float64) float64 {
	return effect(before, after, before*(1-before))
}

// EffectOf translates a distance between distributions into standard deviations: by how much a normal distribution would have to
// move to be, for small moves, so far from itself. Names are those of the detector distribution; NaN for others.
func EffectOf(distance string, value float64) float64 {
	const density = 0.3989422804014327 // of the normal distribution at 0
	switch distance {
	case "psi":
		return math.Sqrt(max(value, 0))
	case "js": // square root of the divergence in bits, which is move²/(8 ln 2)
		return value * math.Sqrt(8*math.Ln2)
	case "hellinger":
		return value * math.Sqrt(8)
	case "tv", "ks":
		return value / density
	case "wasserstein":
		return value
	case "chi2": // Cramér's V of two samples of one size
		return 2 * value
	}
	return math.NaN()
}

func appendDetail(dst []byte, d Detail) []byte {
	for _, v := range [...]float64{d.Statistic, d.Threshold, d.Before, d.After, d.Effect} {
		dst = wire.Float(dst, v)
	}
	return wire.Uint(dst, d.Width)
}

// readDetail reads what appendDetail wrote; format 1 had no effect.
func readDetail(r *wire.Reader, version byte) Detail {
	d := Detail{Statistic: r.Float(), Threshold: r.Float(), Before: r.Float(), After: r.Float(), Effect: math.NaN()}
	if version > 1 {
		d.Effect = r.Float()
	}
	d.Width = r.Uint(1 << 63)
	return d
}
