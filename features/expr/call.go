package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxArgs bounds the arguments and parameters of a call.
const MaxArgs = 32

// Call is one aggregation call of a `compute:` block: count(), sum(amount), mean(a * b), ewma(x, halflife='1h').
type Call struct {
	Name         string
	Args         []*Expr
	Params       map[string]string // by name: the literal, text without its quotes; nil without any
	ParamColumns map[string]int    // where each parameter's name stands
	Column       int               // of Name
}

// ParseCall reads name(argument, ..., parameter=literal, ...). Arguments are expressions, whose columns (and those of
// their later errors) are columns of src; parameters come after them and are a text, a number, true, false or a bare
// word. What the name means, and which parameters it has, is not known here. The error is an *Error.
func ParseCall(src string) (*Call, error) {
	if len(src) > MaxSource {
		return nil, errorAt(1, "the call has %d bytes, at most %d are allowed", len(src), MaxSource)
	}
	if !utf8.ValidString(src) {
		return nil, errorAt(1, "the call is not valid UTF-8")
	}
	s := callScanner{src: []rune(src)}
	call, err := s.call()
	if err != nil {
		return nil, err
	}
	return call, nil
}

// Nearest is the candidate that a misspelt word most likely meant, or "": the rule of Error.Near, for the words of a
// pipeline file that are not expressions.
func Nearest(word string, candidates []string) string { return nearest(word, candidates) }

// callScanner splits a call at the commas of its outermost parentheses. Positions are characters, from 0.
type callScanner struct {
	src []rune
	pos int
}

func (s *callScanner) call() (*Call, *Error) {
	s.space()
	call := &Call{Column: s.pos + 1}
	call.Name = s.word()
	if call.Name == "" {
		return nil, errorAt(s.pos+1, "expected an aggregation, as in sum(amount)")
	}
	s.space()
	if !s.take('(') {
		return nil, errorAt(s.pos+1, "expected ( after %s, as in %s(...)", call.Name, call.Name)
	}
	s.space()
	if !s.take(')') {
		for {
			if len(call.Args)+len(call.Params) == MaxArgs {
				return nil, errorAt(s.pos+1, "more than %d arguments", MaxArgs)
			}
			if err := s.argument(call); err != nil {
				return nil, err
			}
			if s.take(')') {
				break
			}
			if !s.take(',') {
				return nil, errorAt(s.pos+1, "expected , or ) in %s(...)", call.Name)
			}
		}
	}
	s.space()
	if s.pos < len(s.src) {
		return nil, errorAt(s.pos+1, "unexpected text after %s(...): a call stands alone; do arithmetic in a derived feature", call.Name)
	}
	return call, nil
}

// argument reads up to the comma or parenthesis that ends it.
func (s *callScanner) argument(call *Call) *Error {
	s.space()
	start := s.pos
	if name := s.word(); name != "" {
		s.space()
		if s.pos < len(s.src) && s.src[s.pos] == '=' && (s.pos+1 == len(s.src) || s.src[s.pos+1] != '=') {
			s.pos++
			return s.parameter(call, name, start)
		}
	}
	s.pos = start
	if err := s.skip(); err != nil {
		return err
	}
	if len(call.Params) > 0 {
		return errorAt(start+1, "an argument after a parameter: arguments come first")
	}
	text := string(s.src[start:s.pos])
	if strings.TrimSpace(text) == "" {
		return errorAt(start+1, "expected an argument of %s", call.Name)
	}
	// Blanks before the argument put every column, also those of Compile's errors, where they are in the call.
	e, err := parse(strings.Repeat(" ", start) + text)
	if err != nil {
		return err
	}
	call.Args = append(call.Args, e)
	return nil
}

// skip passes one argument: to a comma or a closing bracket that is not its own. Brackets inside text do not count.
func (s *callScanner) skip() *Error {
	start := s.pos
	var open []rune
	for ; s.pos < len(s.src); s.pos++ {
		switch r := s.src[s.pos]; r {
		case '\'', '"', '`':
			if _, ok := s.quoted(); !ok {
				return errorAt(s.pos+1, "text without its closing %c", r)
			}
			s.pos-- // the loop steps over the closing quote
		case '(':
			open = append(open, ')')
		case '[':
			open = append(open, ']')
		case '{':
			open = append(open, '}')
		case ')', ']', '}':
			if len(open) == 0 {
				return nil
			}
			if open[len(open)-1] != r {
				return errorAt(s.pos+1, "found %c, expected %c", r, open[len(open)-1])
			}
			open = open[:len(open)-1]
		case ',':
			if len(open) == 0 {
				return nil
			}
		}
	}
	if len(open) > 0 {
		return errorAt(s.pos+1, "expected %c for the bracket that is open", open[len(open)-1])
	}
	return errorAt(start+1, "expected ) at the end of the call")
}

// quoted reads the text at pos, whose quote it starts with, and stands behind it. Text is taken as the parser would,
// except that escapes other than \\ and the quote stay as they are: parameters are durations and words.
func (s *callScanner) quoted() (string, bool) {
	quote := s.src[s.pos]
	var b strings.Builder
	for i := s.pos + 1; i < len(s.src); i++ {
		r := s.src[i]
		switch {
		case r == quote:
			s.pos = i + 1
			return b.String(), true
		case r == '\\' && quote != '`' && i+1 < len(s.src):
			i++
			if s.src[i] != quote && s.src[i] != '\\' {
				b.WriteRune(r)
			}
			b.WriteRune(s.src[i])
		default:
			b.WriteRune(r)
		}
	}
	return "", false
}

// parameter reads the literal behind name=.
func (s *callScanner) parameter(call *Call, name string, start int) *Error {
	if _, again := call.Params[name]; again {
		return errorAt(start+1, "parameter %s is given twice", name)
	}
	s.space()
	at := s.pos
	text := ""
	if s.pos < len(s.src) && strings.ContainsRune("'\"`", s.src[s.pos]) {
		t, ok := s.quoted()
		if !ok {
			return errorAt(at+1, "text without its closing %c", s.src[at])
		}
		text = t
	} else {
		for s.pos < len(s.src) && (isWord(s.src[s.pos]) || strings.ContainsRune(".+-", s.src[s.pos])) {
			s.pos++
		}
		text = string(s.src[at:s.pos])
		if text == "" {
			return errorAt(at+1, "expected a value for %s: a number, a word or text in quotes", name)
		}
	}
	s.space()
	if s.pos == len(s.src) || s.src[s.pos] != ',' && s.src[s.pos] != ')' {
		return errorAt(at+1, "the value of %s must be a number, a word or text in quotes, then , or )", name)
	}
	if call.Params == nil {
		call.Params, call.ParamColumns = map[string]string{}, map[string]int{}
	}
	call.Params[name], call.ParamColumns[name] = text, start+1
	return nil
}

func (s *callScanner) space() {
	for s.pos < len(s.src) && unicode.IsSpace(s.src[s.pos]) {
		s.pos++
	}
}

func (s *callScanner) word() string {
	start := s.pos
	for s.pos < len(s.src) && isWord(s.src[s.pos]) && (s.pos > start || !unicode.IsDigit(s.src[s.pos])) {
		s.pos++
	}
	return string(s.src[start:s.pos])
}

func (s *callScanner) take(r rune) bool {
	if s.pos < len(s.src) && s.src[s.pos] == r {
		s.pos++
		return true
	}
	return false
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
