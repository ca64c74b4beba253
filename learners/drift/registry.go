package drift

import (
	"fmt"
	"strings"

	"freshet/learners/param"
)

// Entry is one line of the table of detectors.
type Entry struct {
	Name      string
	Doc       string
	Reference string
	Params    []param.Param

	make func(v param.Values) (Detector, error)
}

var directions = []string{"both", "up", "down"}

func direction(v param.Values) Direction {
	return map[string]Direction{"both": Both, "up": Up, "down": Down}[v.Choice("direction")]
}

// Registry returns the table of detectors. Parameters have the names and defaults of River's.
func Registry() []Entry {
	return []Entry{
		{
			Name:      "adwin",
			Doc:       "Window of adaptive length: signals when its older and newer part differ in mean.",
			Reference: "Bifet, Gavaldà 2007; detects at the same values as River 0.26",
			Params: []param.Param{
				{Name: "delta", Kind: param.Float, Default: "0.002", Min: 1e-300, Max: 0.999, Doc: "confidence: smaller means fewer false alarms and longer delay"},
				{Name: "clock", Kind: param.Int, Default: "32", Min: 1, Max: 1e6, Doc: "values between two checks"},
				{Name: "max_buckets", Kind: param.Int, Default: "5", Min: 2, Max: 1000, Doc: "buckets of one size: more means finer cuts and more memory"},
				{Name: "min_window_length", Kind: param.Int, Default: "5", Min: 1, Max: 1e6, Doc: "values that each side of a cut has at least"},
				{Name: "grace_period", Kind: param.Int, Default: "10", Min: 1, Max: 1e9, Doc: "values before the first check"},
				{Name: "direction", Kind: param.Choice, Default: "both", Choices: directions, Doc: "which changes of the mean signal"},
				{Name: "after", Kind: param.Choice, Default: "restart", Choices: []string{"restart", "keep"}, Doc: "after a drift: start from nothing, or go on with the shrunken window"},
			},
			make: func(v param.Values) (Detector, error) {
				o := ADWINOptions{Delta: v.Float("delta"), Clock: v.Int("clock"), MaxBuckets: v.Int("max_buckets"),
					MinWindow: v.Int("min_window_length"), Grace: v.Int("grace_period"), Direction: direction(v)}
				if v.Choice("after") == "keep" {
					o.After = Keep
				}
				return NewADWIN(o)
			},
		},
		{
			Name:      "page_hinkley",
			Doc:       "Accumulated deviation from the running mean: signals when it has moved by a threshold.",
			Reference: "Page 1954, Hinkley 1971; detects at the same values as River 0.26",
			Params: []param.Param{
				{Name: "min_instances", Kind: param.Int, Default: "30", Min: 1, Max: 1e9, Doc: "values before the first signal"},
				{Name: "delta", Kind: param.Float, Default: "0.005", Min: 0, Max: 1e9, Doc: "tolerated change of the mean"},
				{Name: "threshold", Kind: param.Float, Default: "50", Min: 1e-9, Max: 1e12, Doc: "accumulated deviation that signals"},
				{Name: "alpha", Kind: param.Float, Default: "0.9999", Min: 1e-6, Max: 1, Doc: "forgetting factor of the accumulated deviation"},
				{Name: "direction", Kind: param.Choice, Default: "both", Choices: directions, Doc: "which changes of the mean signal"},
			},
			make: func(v param.Values) (Detector, error) {
				o := PageHinkleyOptions{MinInstances: v.Int("min_instances"), Delta: v.Float("delta"), Threshold: v.Float("threshold"),
					Alpha: v.Float("alpha"), Direction: direction(v)}
				if o.Delta == 0 {
					o.Delta = -1
				}
				return NewPageHinkley(o)
			},
		},
		{
			Name:      "psi",
			Doc:       "Population Stability Index of consecutive windows of values against the first ones.",
			Reference: "Siddiqi 2006; shares as in the shared distances (floor 1e-4)",
			Params: []param.Param{
				{Name: "reference", Kind: param.Int, Default: "2000", Min: 10, Max: 1e6, Doc: "values of the reference"},
				{Name: "window", Kind: param.Int, Default: "1000", Min: 10, Max: 1e9, Doc: "values of a window that is compared"},
				{Name: "bins", Kind: param.Int, Default: "10", Min: 2, Max: 256, Doc: "bins, by quantiles of the reference"},
				{Name: "threshold", Kind: param.Float, Default: "0.2", Min: 1e-6, Max: 1e3, Doc: "index that signals; half of it warns"},
			},
			make: func(v param.Values) (Detector, error) {
				return newPSIDetector(v.Int("reference"), v.Int("window"), v.Int("bins"), v.Float("threshold"))
			},
		},
	}
}

// Spec is a detector with all its parameters resolved.
type Spec struct {
	Entry  Entry
	Values param.Values
}

// Parse reads a detector's text, such as adwin(delta=0.002). Errors name the place, what was expected and the nearest
// valid name.
func Parse(text string) (Spec, error) {
	name, raw, err := param.Parse(strings.TrimSpace(text))
	if err != nil {
		return Spec{}, fmt.Errorf("detector %w", err)
	}
	return FromMap(name, raw)
}

// FromMap is Parse for parameters that come from a YAML mapping.
func FromMap(name string, raw map[string]any) (Spec, error) {
	var names []string
	for _, e := range Registry() {
		if e.Name == name {
			v, err := param.Resolve(name, e.Params, raw)
			if err != nil {
				return Spec{}, err
			}
			return Spec{e, v}, nil
		}
		names = append(names, e.Name)
	}
	return Spec{}, fmt.Errorf("unknown detector %q%s", name, param.Suggest(name, names))
}

// String is the canonical text; it parses back to the same spec.
func (s Spec) String() string { return s.Values.String() }

// New makes a detector.
func (s Spec) New() (Detector, error) { return s.Entry.make(s.Values) }

// New makes a detector from its text.
func New(text string) (Detector, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return s.New()
}
