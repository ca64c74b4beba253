package expr

import "math"

// Closures of the three kinds. A condition may also have a numFn, where null matters.
type (
	numFn  func(*Env) float64
	condFn func(*Env) bool
	strFn  func(*Env) []byte
)

// Internal kinds beside Num, Str and Bool.
const (
	kindNil  Kind = 0x80 + iota // the literal nil
	kindList                    // [literals]
	kindBad                     // reported already: silences what would follow from it
	anyKind                     // functions: any kind; all arguments (and the result) of one kind
)

// form is what is known of a number beside how to compute it. Specialised closures read the slot themselves.
type form uint8

const (
	general  form = iota
	constant      // k
	linear        // k · Env.Num[slot]; a bare field has k = 1, and 1·x is x to the bit
)

// value is a compiled part: its kind and the ways to compute it that exist for it.
type value struct {
	kind Kind
	col  int // 1-based, for messages

	form form // Num and Bool
	k    float64
	slot int // of a linear number, or of a text that is a field
	num  numFn
	cond condFn

	text    []byte // constant text when isText
	isText  bool
	isField bool // text that is Env.Str[slot]
	str     strFn

	list []value // of kindList: constants
}

func constantNum(c float64) value { return value{kind: Num, form: constant, k: c} }

func constantBool(b bool) value {
	v := value{kind: Bool, form: constant}
	if b {
		v.k = 1
	}
	return v
}

func generalNum(f numFn) value   { return value{kind: Num, num: f} }
func generalCond(f condFn) value { return value{kind: Bool, cond: f} }

// isConstant says whether v reads no field.
func (v *value) isConstant() bool {
	return v.kind == Str && v.isText || (v.kind == Num || v.kind == Bool) && v.form == constant
}

// isNumeric says whether v has a number: numbers, and conditions as 1 and 0.
func (v *value) isNumeric() bool { return v.kind == Num || v.kind == Bool }

// asNum is v in a numeric position.
func (v value) asNum() value {
	if v.kind == Bool && v.form == general && v.num == nil {
		v.num = v.number()
	}
	v.kind = Num
	return v
}

// number is how to compute v as a number.
func (v *value) number() numFn {
	switch {
	case v.form == constant:
		k := v.k
		return func(*Env) float64 { return k }
	case v.form == linear && v.k == 1:
		s := v.slot
		return func(e *Env) float64 { return e.Num[s] }
	case v.form == linear:
		k, s := v.k, v.slot
		return func(e *Env) float64 { return float64(k * e.Num[s]) }
	case v.num != nil:
		return v.num
	}
	c := v.cond
	return func(e *Env) float64 {
		if c(e) {
			return 1
		}
		return 0
	}
}

// condition is how to compute v, a Bool, as a condition: null is false.
func (v *value) condition() condFn {
	switch {
	case v.form == constant:
		b := truth(v.k)
		return func(*Env) bool { return b }
	case v.form == linear: // a field; k is 1
		s := v.slot
		return func(e *Env) bool { return truth(e.Num[s]) }
	case v.cond != nil:
		return v.cond
	}
	n := v.num
	return func(e *Env) bool { return truth(n(e)) }
}

// bytes is how to compute v, a Str.
func (v *value) bytes() strFn {
	switch {
	case v.isText:
		t := v.text
		return func(*Env) []byte { return t }
	case v.isField:
		s := v.slot
		return func(e *Env) []byte { return e.Str[s] }
	}
	return v.str
}

// truth is the two-valued reading of a numeric condition: 0 and NaN are false.
func truth(x float64) bool { return x != 0 && x == x }

func null() float64 { return math.NaN() }

func isNull(x float64) bool { return x != x }

func boolToNum(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// folded replaces a value all of whose operands are constants by what it comes to.
func folded(v value, operands ...value) value {
	for i := range operands {
		if !operands[i].isConstant() && operands[i].kind != kindNil && operands[i].kind != kindList {
			return v
		}
	}
	none := &Env{}
	switch v.kind {
	case Num:
		return constantNum(v.number()(none))
	case Bool:
		if v.num != nil { // may be null
			return value{kind: Bool, form: constant, k: v.num(none)}
		}
		return constantBool(v.condition()(none))
	case Str:
		return value{kind: Str, isText: true, text: v.bytes()(none)}
	}
	return v
}
