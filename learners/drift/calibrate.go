package drift

import (
	"fmt"
	"math"

	"freshet/learners/numeric"
)

// RunFor is how many values lie in so many days, at the rate at which values came so far: what "at most one false alarm in
// 30 days" means for a series of n values over span milliseconds of event time. NaN if that says nothing.
func RunFor(days float64, n uint64, spanMs int64) float64 {
	if n < 2 || spanMs <= 0 || !(days > 0) {
		return math.NaN()
	}
	return days * 86400e3 * float64(n) / float64(spanMs)
}

// FamilyRun is the run that each of so many series needs for one false alarm in run values of all of them together, each
// value of a series counted: the sum of false alarms over series is what people read.
func FamilyRun(run float64, series int) float64 { return run * float64(max(series, 1)) }

// Knob is the parameter of a detector that trades false alarms for delay.
type Knob struct {
	Parameter string
	// Log says that the parameter is a probability, whose logarithm matters (delta of adwin); else larger is stricter.
	Log  bool
	From float64 // loosest value that is tried
	To   float64 // strictest
}

// knobs are those of the registry.
var knobs = map[string]Knob{
	"adwin":        {"delta", true, 0.5, 1e-60},
	"seed":         {"delta", true, 0.5, 1e-60},
	"page_hinkley": {"threshold", false, 1, 1e6},
	"cusum":        {"threshold", false, 1, 1e6},
	"ddm":          {"drift_threshold", false, 1, 50},
	"rddm":         {"drift_threshold", false, 1, 50},
	"ewma":         {"limit", false, 1, 50},
	"hddm_a":       {"drift_confidence", true, 0.5, 1e-60},
	"hddm_w":       {"drift_confidence", true, 0.5, 1e-60},
	"fhddm":        {"confidence_level", true, 0.5, 1e-60},
	"kswin":        {"alpha", true, 0.1, 1e-60},
	"stepd":        {"alpha_drift", true, 0.1, 1e-15},
	"psi":          {"threshold", false, 0.001, 100},
	"distribution": {"threshold", false, 0.001, 100},
}

// CalibrateOptions are the parameters of Calibrate. The zero value of each is the default named with it.
type CalibrateOptions struct {
	Run    float64 // values between two false alarms: 1e5
	Block  int     // values that are drawn together, so that autocorrelation within them stays: n^(1/3) times 4
	Length int     // values that are simulated for one setting: 9 runs, at most 4 million
	Seed   uint64
}

// Calibration is what Calibrate found.
type Calibration struct {
	Spec         Spec
	Value        float64 // of the knob
	Run          float64 // that it should give
	Extrapolated bool    // Run is longer than a ninth of what was simulated; ln(run) was continued in a straight line, which may be off by a factor of some
}

// Calibrate sets the knob of a detector so that still data like the reference give one false alarm in Run values: it runs
// the detector over series made of blocks of the reference drawn at random (circular block bootstrap, Politis and Romano 1992), at
// settings from loose to strict. What the reference does not show, such as a season longer than it, is not in the result. The
// detector robust has its run as a parameter and needs no calibration. O(Length) for each of about
// ten settings: a second for a million values.
func Calibrate(spec Spec, reference []float64, o CalibrateOptions) (Calibration, error) {
	knob, ok := knobs[spec.Entry.Name]
	if spec.Entry.Name == "robust" {
		s, err := spec.With("run", max(o.Run, 100))
		return Calibration{Spec: s, Value: o.Run, Run: o.Run}, err
	}
	if !ok {
		return Calibration{}, fmt.Errorf("%s cannot be calibrated", spec.Entry.Name)
	}
	ref := make([]float64, 0, len(reference))
	for _, v := range reference {
		if v, ok := numeric.Tame(v); ok {
			ref = append(ref, v)
		}
	}
	if len(ref) < 50 {
		return Calibration{}, fmt.Errorf("calibrate: a reference of %d values, expected at least 50", len(ref))
	}
	if o.Run == 0 {
		o.Run = 1e5
	}
	if o.Length == 0 {
		o.Length = int(min(max(enough*o.Run, 10000), 4e6))
	}
	if o.Block == 0 {
		o.Block = int(4 * math.Cbrt(float64(len(ref))))
	}
	if !(o.Run > 1) || o.Block < 1 || o.Length < 1000 {
		return Calibration{}, fmt.Errorf("calibrate: run %v (expected above 1), block %d (from 1), length %d (from 1000)", o.Run, o.Block, o.Length)
	}
	c := calibrator{spec, knob, ref, o}
	return c.search()
}

type calibrator struct {
	spec Spec
	knob Knob
	ref  []float64
	o    CalibrateOptions
}

// level is the knob on the scale on which ln(run) is about straight, from 0 to 1.
func (c *calibrator) value(level float64) float64 {
	// Both kinds are spaced by their logarithm: thresholds because their unit is not known.
	return numeric.Exp(numeric.Log(c.knob.From) + float64(level*(numeric.Log(c.knob.To)-numeric.Log(c.knob.From))))
}

// run is the mean number of values between two alarms of one setting over blocks of the reference. It stops when there are so
// many alarms that the run is surely below the target.
func (c *calibrator) run(value, target float64) (float64, error) {
	s, err := c.spec.With(c.knob.Parameter, value)
	if err != nil {
		return 0, err
	}
	d, err := s.New()
	if err != nil {
		return 0, err
	}
	random := numeric.NewRand(c.o.Seed)
	count, n := 0, 0
	for n < c.o.Length {
		at := random.Intn(len(c.ref))
		for range min(c.o.Block, c.o.Length-n) {
			if d.Update(c.ref[at]) == Drift {
				count++
			}
			n++
			if at++; at == len(c.ref) {
				at = 0
			}
		}
		if count >= 2*enough && float64(n) < target/2*float64(count) {
			break
		}
	}
	return float64(n) / math.Max(float64(count), 0.5), nil
}

// enough alarms make a run known to a third.
const enough = 9

// search bisects for the setting with the run that is asked for, or, where that is too long to simulate, for two that
// can be, and goes on in a straight line.
func (c *calibrator) search() (Calibration, error) {
	reach := min(c.o.Run, float64(c.o.Length)/enough)
	at, run, err := c.bisect(reach)
	if err != nil {
		return Calibration{}, err
	}
	out := Calibration{Value: c.value(at), Run: run}
	if reach < c.o.Run {
		looser, less, err := c.bisect(reach / 8)
		if err != nil {
			return Calibration{}, err
		}
		out.Extrapolated = true
		a, b := c.axis(c.value(looser)), c.axis(out.Value)
		if slope := numeric.Log(run/less) / (b - a); slope > 0 && run > less {
			out.Value = c.fromAxis(b + numeric.Log(c.o.Run/run)/slope)
			out.Run = c.o.Run
		}
	}
	out.Spec, err = c.spec.With(c.knob.Parameter, out.Value)
	return out, err
}

// axis is where ln(run) is about straight: the threshold itself, or ln(1/probability).
func (c *calibrator) axis(value float64) float64 {
	if c.knob.Log {
		return -numeric.Log(value)
	}
	return value
}

func (c *calibrator) fromAxis(x float64) float64 {
	if c.knob.Log {
		return max(numeric.Exp(-x), c.knob.To)
	}
	return min(x, c.knob.To)
}

// bisect returns the loosest level found with at least the run, and its run.
func (c *calibrator) bisect(target float64) (level, run float64, err error) {
	low, high := 0.0, 1.0
	found := false
	for range 12 {
		mid := (low + high) / 2
		r, err := c.run(c.value(mid), target)
		if err != nil {
			return 0, 0, err
		}
		if r >= target {
			high, run, found = mid, r, true
		} else {
			low = mid
		}
	}
	if !found {
		return 0, 0, fmt.Errorf("calibrate: even %s=%v gives more than one false alarm in %.0f values of the reference", c.knob.Parameter, c.knob.To, target)
	}
	return high, run, nil
}
