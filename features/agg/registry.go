package agg

import "fmt"

// Kind is the kind of an argument of an aggregation.
type Kind uint8

const (
	Number Kind = iota + 1 // passed as math.Float64bits, or as HashNumber where Spec.Hashed
	String                 // passed as HashString
	Lat                    // a number, degrees, −90 to 90
	Lon                    // a number, degrees, −180 to 180
)

func (k Kind) String() string {
	switch k {
	case Number:
		return "number"
	case String:
		return "string"
	case Lat:
		return "latitude"
	case Lon:
		return "longitude"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Result is the type of a value in the topics' schemas. Either may be null.
type Result uint8

const (
	Double Result = iota
	Long
)

func (r Result) String() string {
	if r == Long {
		return "long"
	}
	return "double"
}

// Param is a named setting of an aggregation, besides its arguments.
type Param struct {
	Name, Doc string
	Duration  bool // given as a duration, passed in milliseconds; otherwise a number
	Required  bool
}

// Params holds the settings by name; durations in milliseconds.
type Params map[string]float64

// Spec describes one aggregation: what a pipeline may write, what comes out of it, and how to make it.
type Spec struct {
	Name     string
	Doc      string
	Args     [][]Kind // the argument lists it accepts; an empty list: no argument
	Hashed   bool     // numbers too are passed as hashes (HashNumber)
	Windowed bool     // takes `over`; otherwise it is running
	Result   Result
	Unit     string // of the value
	Null     string // when the value is null
	Params   []Param

	NewWindowed func(args []Kind, p Params) (Windowed, error)
	NewRunning  func(args []Kind, p Params) (Running, error)
}

var (
	none   = []Kind{}
	number = []Kind{Number}
	text   = []Kind{String}
)

func windowed(w Windowed) func([]Kind, Params) (Windowed, error) {
	return func([]Kind, Params) (Windowed, error) { return w, nil }
}

func running(r Running) func([]Kind, Params) (Running, error) {
	return func([]Kind, Params) (Running, error) { return r, nil }
}

// Registry lists every aggregation. What is listed is validated, documented, and tested by aggtest.
func Registry() []Spec {
	return []Spec{
		{Name: "count", Windowed: true, Args: [][]Kind{none, number, text}, Result: Long, Unit: "events", Null: "never",
			Doc: "number of events; with an argument, of those where it is not null", NewWindowed: newCount},
		{Name: "sum", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "never (0 without values)",
			Doc: "sum of the values that are not null", NewWindowed: windowed(sum{})},
		{Name: "mean", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "no values",
			Doc: "sum divided by count", NewWindowed: windowed(mean{})},
		{Name: "min", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "no values",
			Doc: "smallest value", NewWindowed: windowed(minOf{})},
		{Name: "max", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "no values",
			Doc: "largest value", NewWindowed: windowed(maxOf{})},
		{Name: "std", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "fewer than two values",
			Doc: "sample standard deviation (divisor n-1)", NewWindowed: windowed(std{})},
		{Name: "distinct", Windowed: true, Args: [][]Kind{text, number}, Hashed: true, Result: Long, Unit: "values", Null: "never",
			Doc: "number of different values; exact over the exact events of an entity, 6.5 % standard error where a tile takes part", NewWindowed: windowed(distinct{})},
		{Name: "last", Windowed: true, Args: [][]Kind{number}, Unit: "as the argument", Null: "no values",
			Doc: "newest value in the window", NewWindowed: windowed(lastIn{})},

		{Name: "last", Args: [][]Kind{number}, Unit: "as the argument", Null: "no value so far",
			Doc: "newest value, however old", NewRunning: running(lastEver{})},
		{Name: "seconds_since_last", Args: [][]Kind{none}, Unit: "s", Null: "at the first event",
			Doc: "seconds since the event before, or as of now since the last event", NewRunning: running(secondsSince{})},
		{Name: "speed", Args: [][]Kind{{Lat, Lon}}, Unit: "km/h", Null: "at the first position, and without a valid one",
			Doc: "great-circle speed from the position before; time differences below 1 s count as 1 s", NewRunning: running(speed{})},
		{Name: "ewma", Args: [][]Kind{number}, Unit: "as the argument", Null: "no value so far",
			Doc: "mean with weights that halve every half_life", Params: []Param{{Name: "half_life", Doc: "time in which a weight halves", Duration: true, Required: true}},
			NewRunning: func(_ []Kind, p Params) (Running, error) { return newEWMA(p) }},
	}
}

// newCount picks the kernel by what null means for the argument.
func newCount(args []Kind, _ Params) (Windowed, error) {
	switch {
	case len(args) == 0:
		return countEvents{}, nil
	case args[0] == String:
		return countHashes{}, nil
	}
	return countNumbers{}, nil
}

// Find returns the aggregation of this name: the windowed one where it stands with a window, the running one otherwise.
// If only the other sort exists it returns that one, so that the caller can say which is missing, the window or its absence.
func Find(name string, withWindow bool) (Spec, bool) {
	var other Spec
	found := false
	for _, s := range Registry() {
		if s.Name != name {
			continue
		}
		if s.Windowed == withWindow {
			return s, true
		}
		other, found = s, true
	}
	return other, found
}

// Accepts reports whether the aggregation takes these arguments. Where it takes Lat or Lon a Number will do.
func (s *Spec) Accepts(args []Kind) bool {
	for _, list := range s.Args {
		ok := len(list) == len(args)
		for i := 0; ok && i < len(list); i++ {
			ok = list[i] == args[i] || args[i] == Number && (list[i] == Lat || list[i] == Lon)
		}
		if ok {
			return true
		}
	}
	return false
}

// CheckParams names the first setting that is unknown, missing, or not above zero where it is a duration.
func (s *Spec) CheckParams(p Params) error {
	for _, want := range s.Params {
		v, ok := p[want.Name]
		if !ok && want.Required {
			return fmt.Errorf("%s needs %s (%s)", s.Name, want.Name, want.Doc)
		}
		if ok && want.Duration && !(v > 0) {
			return fmt.Errorf("%s: %s must be above zero", s.Name, want.Name)
		}
	}
	known := 0
	for _, want := range s.Params {
		if _, ok := p[want.Name]; ok {
			known++
		}
	}
	if known != len(p) {
		return fmt.Errorf("%s: unknown setting; it takes %v", s.Name, s.paramNames())
	}
	return nil
}

func (s *Spec) paramNames() []string {
	names := make([]string, len(s.Params))
	for i, p := range s.Params {
		names[i] = p.Name
	}
	return names
}
