package learners

import (
	"fmt"
	"slices"
	"strings"

	"freshet/learners/param"
)

// Entry is one line of the table: a learner by name, its parameters and how to make one.
type Entry struct {
	Name      string
	Doc       string // one sentence
	Reference string // paper or system that it follows
	Params    []param.Param
	Frozen    bool // it never learns

	// Either may be nil: the method has no such form.
	classifier func(in Input, classes int, v param.Values) (Classifier, error)
	regressor  func(in Input, v param.Values) (Regressor, error)
	anomaly    func(in Input, v param.Values) (Anomaly, error)
}

// Classifies reports whether the learner can be made as a classifier.
func (e Entry) Classifies() bool { return e.classifier != nil }

// Regresses reports whether the learner can be made as a regressor.
func (e Entry) Regresses() bool { return e.regressor != nil }

// Detects reports whether the learner can be made as an anomaly detector.
func (e Entry) Detects() bool { return e.anomaly != nil }

// Registry returns the table of learners, in the order in which documentation lists them: one file a family, entry_*.go.
func Registry() []Entry {
	return slices.Concat(linearEntries(), treeEntries(), boostingEntries(), gbdtEntries(), mondrianEntries(), otherEntries(), ensembleEntries(), wrapEntries(), exchangeEntries())
}

// Lookup returns the entry of a name, or an error with the nearest one.
func Lookup(name string) (Entry, error) {
	table := Registry()
	names := make([]string, len(table))
	for i, e := range table {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	return Entry{}, fmt.Errorf("unknown learner %q%s", name, param.Suggest(name, names))
}

// Spec is a learner with all its parameters resolved.
type Spec struct {
	Entry  Entry
	Values param.Values
}

// Parse reads a learner's text: a name, or name(parameter=value, …). Errors name the position or the parameter, what
// was expected, and the nearest valid name.
func Parse(text string) (Spec, error) {
	name, raw, err := param.Parse(strings.TrimSpace(text))
	if err != nil {
		return Spec{}, fmt.Errorf("learner %w", err)
	}
	return FromMap(name, raw)
}

// FromMap is Parse for parameters that come from a YAML mapping.
func FromMap(name string, raw map[string]any) (Spec, error) {
	e, err := Lookup(name)
	if err != nil {
		return Spec{}, err
	}
	v, err := param.Resolve(e.Name, e.Params, raw)
	if err != nil {
		return Spec{}, err
	}
	if err := canonical(v); err != nil {
		return Spec{}, fmt.Errorf("%s: %w", name, err)
	}
	return Spec{Entry: e, Values: v}, nil
}

// canonical checks the learners inside a learner, and writes each as its own Spec would.
func canonical(v param.Values) error {
	for _, p := range v.Table() {
		text := v.Text(p.Name)
		switch {
		case text == "":
		case p.Kind == param.Learner:
			s, err := Parse(text)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			v.SetText(p.Name, s.String())
		case p.Kind == param.Learners:
			items, err := param.List(text)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
			for i, item := range items {
				s, err := Parse(item)
				if err != nil {
					return fmt.Errorf("%s: %w", p.Name, err)
				}
				items[i] = s.String()
			}
			v.SetText(p.Name, "["+strings.Join(items, ",")+"]")
		}
	}
	return nil
}

// String is the canonical text: it parses back to the same spec. Snapshots store it.
func (s Spec) String() string { return s.Values.String() }

// NewClassifier makes an untrained classifier of so many classes. An anomaly detector stands for one of two classes
// (Detecting).
func (s Spec) NewClassifier(in Input, classes int) (Classifier, error) {
	if s.Entry.classifier == nil && s.Entry.anomaly != nil && classes == 2 {
		m, err := s.Entry.anomaly(in, s.Values)
		if err != nil {
			return nil, err
		}
		return Detecting{m}, nil
	}
	if s.Entry.classifier == nil {
		return nil, fmt.Errorf("%s is not a classifier; those are %s", s.Entry.Name, list(Entry.Classifies))
	}
	return s.Entry.classifier(in, classes, s.Values)
}

// NewRegressor makes an untrained regressor.
func (s Spec) NewRegressor(in Input) (Regressor, error) {
	if s.Entry.regressor == nil {
		return nil, fmt.Errorf("%s is not a regressor; those are %s", s.Entry.Name, list(Entry.Regresses))
	}
	return s.Entry.regressor(in, s.Values)
}

// NewAnomaly makes an untrained anomaly detector.
func (s Spec) NewAnomaly(in Input) (Anomaly, error) {
	if s.Entry.anomaly == nil {
		return nil, fmt.Errorf("%s does not detect anomalies; those that do are %s", s.Entry.Name, list(Entry.Detects))
	}
	return s.Entry.anomaly(in, s.Values)
}

func list(is func(Entry) bool) string {
	var names []string
	for _, e := range Registry() {
		if is(e) {
			names = append(names, e.Name)
		}
	}
	return strings.Join(names, ", ")
}

// NewClassifier makes a classifier from a learner's text.
func NewClassifier(text string, in Input, classes int) (Classifier, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return s.NewClassifier(in, classes)
}

// NewRegressor makes a regressor from a learner's text.
func NewRegressor(text string, in Input) (Regressor, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return s.NewRegressor(in)
}
