package param

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// Kind is what a parameter's value is.
type Kind int

// The kinds of parameters.
const (
	Float    Kind = iota // a finite number
	Int                  // a whole number
	Bool                 // true or false
	Choice               // one of Choices
	Text                 // a word without brackets, commas or =
	Learner              // the text of another entry: hoeffding_tree(grace_period=50)
	Learners             // a list of such texts: [logistic, hoeffding_tree]
)

// String names the kind as the documentation does.
func (k Kind) String() string {
	return [...]string{"number", "whole number", "true or false", "choice", "text", "learner", "list of learners"}[k]
}

// Param is one row of an entry's table.
type Param struct {
	Name     string
	Kind     Kind
	Default  string   // in text form, as one would write it
	Min, Max float64  // inclusive range of Float and Int
	Choices  []string // of Choice
	Doc      string   // one line: meaning and unit
}

// Range says in words what the parameter accepts.
func (p Param) Range() string {
	switch p.Kind {
	case Bool:
		return "true or false"
	case Choice:
		return "one of " + strings.Join(p.Choices, ", ")
	case Text:
		return "a text of at most 256 letters"
	case Learner:
		return "a learner, such as logistic(rate=0.05)"
	case Learners:
		return "a list of learners, such as [logistic, hoeffding_tree]"
	}
	return fmt.Sprintf("%s from %s to %s", p.Kind, text(p.Min), text(p.Max))
}

func text(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// Values are the resolved parameters of one entry: every parameter of its table has a value in its range.
type Values struct {
	owner string
	table []Param
	num   []float64 // Float, Int, Bool as 0 and 1, Choice as its index; parallel to table
	text  []string  // Text, Learner, Learners; parallel to table
}

// Resolve checks raw values, as Parse or a YAML decoder gives them (strings, bools, any Go number), against the table
// and fills in defaults. All errors are reported at once, joined by "; ". The owner's name starts each message.
func Resolve(owner string, table []Param, raw map[string]any) (Values, error) {
	v := Values{owner: owner, table: table, num: make([]float64, len(table)), text: make([]string, len(table))}
	var problems []string
	for i, p := range table {
		x, given := raw[p.Name]
		if !given {
			x = p.Default
		}
		n, err := 0.0, error(nil)
		if p.worded() {
			v.text[i], err = p.readText(x)
		} else {
			n, err = p.read(x)
		}
		if err != nil {
			if !given {
				panic(fmt.Sprintf("BUG: %s: default of %s: %v", owner, p.Name, err))
			}
			problems = append(problems, fmt.Sprintf("%s: %s: %v", owner, p.Name, err))
		}
		v.num[i] = n
	}
	for name := range raw {
		if v.index(name) >= 0 {
			continue
		}
		names := make([]string, len(table))
		for i, p := range table {
			names[i] = p.Name
		}
		problems = append(problems, fmt.Sprintf("%s: unknown parameter %q%s", owner, name, Suggest(name, names)))
	}
	if len(problems) > 0 {
		sort.Strings(problems)
		return Values{}, fmt.Errorf("%s", strings.Join(problems, "; "))
	}
	return v, nil
}

// worded reports whether the value is a text.
func (p Param) worded() bool { return p.Kind == Text || p.Kind == Learner || p.Kind == Learners }

func (p Param) readText(x any) (string, error) {
	if list, ok := x.([]any); ok && p.Kind == Learners { // from YAML
		items := make([]string, len(list))
		for i, v := range list {
			s, ok := v.(string)
			if !ok {
				return "", fmt.Errorf("item %d is %v, expected a learner", i+1, v)
			}
			items[i] = s
		}
		x = "[" + strings.Join(items, ",") + "]"
	}
	s, ok := x.(string)
	s = strings.TrimSpace(s)
	if !ok || p.Kind == Text && (len(s) > 256 || strings.ContainsAny(s, "()[],=")) || p.Kind != Text && (s == "" && p.Default != "" || len(s) > maxText) {
		return "", fmt.Errorf("is %v, expected %s", x, p.Range())
	}
	if p.Kind != Text {
		if _, bad := split(s); bad >= 0 {
			return "", fmt.Errorf("is %v: brackets do not match", x)
		}
	}
	return s, nil
}

func (p Param) read(x any) (float64, error) {
	wrong := func() (float64, error) { return 0, fmt.Errorf("is %v, expected %s", x, p.Range()) }
	var f float64
	switch t := x.(type) {
	case string:
		switch p.Kind {
		case Choice:
			for i, c := range p.Choices {
				if c == t {
					return float64(i), nil
				}
			}
			return 0, fmt.Errorf("is %q, expected %s%s", t, p.Range(), Suggest(t, p.Choices))
		case Bool:
			switch t {
			case "true":
				return 1, nil
			case "false":
				return 0, nil
			}
			return wrong()
		}
		n, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return wrong()
		}
		f = n
	case bool:
		if p.Kind != Bool {
			return wrong()
		}
		if t {
			return 1, nil
		}
		return 0, nil
	case float64:
		f = t
	case float32:
		f = float64(t)
	case int:
		f = float64(t)
	case int32:
		f = float64(t)
	case int64:
		f = float64(t)
	case uint:
		f = float64(t)
	case uint32:
		f = float64(t)
	case uint64:
		f = float64(t)
	default:
		return wrong()
	}
	if p.Kind == Bool || p.Kind == Choice || !(f >= p.Min && f <= p.Max) || (p.Kind == Int && f != math.Trunc(f)) {
		return wrong()
	}
	return f, nil
}

func (v Values) index(name string) int {
	for i, p := range v.table {
		if p.Name == name {
			return i
		}
	}
	return -1
}

func (v Values) must(name string) int {
	i := v.index(name)
	if i < 0 {
		panic(fmt.Sprintf("BUG: %s has no parameter %q", v.owner, name))
	}
	return i
}

// Float returns a number.
func (v Values) Float(name string) float64 { return v.num[v.must(name)] }

// Int returns a whole number.
func (v Values) Int(name string) int { return int(v.num[v.must(name)]) }

// Bool returns a flag.
func (v Values) Bool(name string) bool { return v.num[v.must(name)] != 0 }

// Choice returns the chosen word.
func (v Values) Choice(name string) string {
	i := v.must(name)
	return v.table[i].Choices[int(v.num[i])]
}

// Text returns a text: of Text itself, of Learner and Learners as it stands in a learner's text.
func (v Values) Text(name string) string { return v.text[v.must(name)] }

// Table returns the parameters that there are.
func (v Values) Table() []Param { return v.table }

// SetText replaces a text by an equal one in canonical form.
func (v Values) SetText(name, text string) { v.text[v.must(name)] = text }

// String is the canonical text: the owner and, in table order, the parameters that differ from their defaults. It
// parses back to the same values, so it is what a snapshot stores.
func (v Values) String() string {
	var b strings.Builder
	b.WriteString(v.owner)
	sep := "("
	for i, p := range v.table {
		if p.worded() {
			if v.text[i] == p.Default {
				continue
			}
		} else if d, _ := p.read(p.Default); d == v.num[i] {
			continue
		}
		b.WriteString(sep + p.Name + "=")
		switch p.Kind {
		case Text, Learner, Learners:
			b.WriteString(v.text[i])
		case Bool:
			b.WriteString(strconv.FormatBool(v.num[i] != 0))
		case Choice:
			b.WriteString(p.Choices[int(v.num[i])])
		default:
			b.WriteString(text(v.num[i]))
		}
		sep = ","
	}
	if sep == "," {
		b.WriteByte(')')
	}
	return b.String()
}
