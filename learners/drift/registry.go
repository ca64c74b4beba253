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
	Binary    bool      // values are errors: 0 or 1, or between; others count as the nearest of these
	Sees      Direction // which changes of the mean signal by default
	Blind     bool      // does not look at its values
	Alarms    float64   // false alarms in a million independent, still values with the defaults, as measured

	make func(v param.Values) (Detector, error)
}

var directions = []string{"both", "up", "down"}

func direction(word string) Direction {
	return map[string]Direction{"both": Both, "up": Up, "down": Down}[word]
}

var directionParam = param.Param{Name: "direction", Kind: param.Choice, Default: "both", Choices: directions, Doc: "which changes of the mean signal"}

// Registry returns the table of detectors. Parameters have the names and defaults of River's where River has the
// detector.
func Registry() []Entry {
	return []Entry{
		adwinEntry, pageHinkleyEntry, cusumEntry, kswinEntry, seedEntry,
		ddmEntry, eddmEntry, rddmEntry, hddmAEntry, hddmWEntry, fhddmEntry, stepdEntry, ewmaEntry,
		psiEntry, distributionEntry, robustEntry, seasonalEntry(), calibratedEntry(), dummyEntry,
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
			return Spec{e, v}, nested(name, v)
		}
		names = append(names, e.Name)
	}
	return Spec{}, fmt.Errorf("unknown detector %q%s", name, param.Suggest(name, names))
}

// nested checks detectors within the detector and puts their texts into canonical form.
func nested(name string, v param.Values) error {
	for _, p := range v.Table() {
		if p.Kind != param.Learner {
			continue
		}
		inner, err := Parse(v.Text(p.Name))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, p.Name, err)
		}
		v.SetText(p.Name, inner.String())
	}
	return nil
}

// With returns the spec with one parameter set; an error if there is none of the name or the value is out of range.
func (s Spec) With(name string, value any) (Spec, error) {
	_, raw, err := param.Parse(s.String())
	if err != nil {
		return Spec{}, err
	}
	raw[name] = value
	return FromMap(s.Entry.Name, raw)
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
