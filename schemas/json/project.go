package json

import (
	"math"

	"freshet/schemas"
)

// decoder is one call of Decode; it lives on the stack.
type decoder struct {
	p   *Program
	s   []byte
	b   *schemas.Batch
	row int
}

// object reads the object whose '{' is at s[i] and returns the place after its '}'.
func (d *decoder) object(i int, n *node, depth int) (int, *schemas.Poison) {
	s := d.s
	if depth > d.p.maxDepth {
		return 0, poison("too_deep", i, "objects and arrays are nested deeper than the limit")
	}
	i = space(s, i+1)
	if i < len(s) && s[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s) {
			return 0, truncated(i)
		}
		if s[i] != '"' {
			return 0, poison("bad_json", i, "expected a key, found "+quoteByte(s[i]))
		}
		k, end, err := d.key(i, n)
		if err != nil {
			return 0, err
		}
		i = space(s, end)
		if i >= len(s) {
			return 0, truncated(i)
		}
		if s[i] != ':' {
			return 0, poison("bad_json", i, "expected ':', found "+quoteByte(s[i]))
		}
		i = space(s, i+1)
		if i >= len(s) {
			return 0, truncated(i)
		}
		if k == nil {
			i, err = d.skip(i, depth)
		} else {
			i, err = d.member(i, k, depth)
		}
		if err != nil {
			return 0, err
		}
		i = space(s, i)
		if i >= len(s) {
			return 0, truncated(i)
		}
		if s[i] == '}' {
			return i + 1, nil
		}
		if s[i] != ',' {
			return 0, poison("bad_json", i, "expected ',' or '}', found "+quoteByte(s[i]))
		}
		i = space(s, i+1)
	}
}

// key reads the key whose quote is at s[i]; k is nil when no column wants it.
func (d *decoder) key(i int, n *node) (k *kid, end int, err *schemas.Poison) {
	s := d.s
	for j := i + 1; j < len(s); j++ {
		c := s[j]
		if c == '"' {
			return n.find(s[i+1 : j]), j + 1, nil
		}
		if c == '\\' || c < 0x20 {
			break
		}
	}
	end, escaped, err := scanString(s, i)
	if err != nil {
		return nil, 0, err
	}
	raw := s[i+1 : end-1]
	if !escaped || len(raw) > 6*maxName {
		return nil, end, nil
	}
	var buf [6 * maxName]byte
	name := unescape(buf[:copy(buf[:], raw)])
	return n.find(name), end, nil
}

// member reads a wanted member's value at s[i].
func (d *decoder) member(i int, k *kid, depth int) (end int, err *schemas.Poison) {
	s := d.s
	// An earlier occurrence of the same key no longer counts.
	for j := range k.targets {
		d.clear(&k.targets[j])
	}
	for j := range k.under {
		d.clear(&k.under[j])
	}
	c := s[i]
	switch {
	case c == 'n':
		return literal(s, i, "null")
	case c == '{' && k.sub != nil && len(k.targets) == 0:
		return d.object(i, k.sub, depth+1)
	case c == '{' || c == '[':
		what, t := "an object", k.under
		if c == '[' {
			what = "an array"
		}
		if len(k.targets) > 0 {
			t = k.targets
		}
		return 0, d.wrong(&t[0], i, what)
	case k.sub != nil:
		return 0, d.wrong(&k.under[0], i, "a value without members")
	case c == '"':
		end, escaped, err := scanString(s, i)
		if err != nil {
			return 0, err
		}
		v := s[i+1 : end-1 : end-1]
		if escaped {
			v = d.unescape(v)
		} else if d.p.own {
			v = d.b.Own(v)
		}
		for j := range k.targets {
			if err := d.setString(&k.targets[j], i, v); err != nil {
				return 0, err
			}
		}
		return end, nil
	case c == 't' || c == 'f':
		word, num := "true", 1.0
		if c == 'f' {
			word, num = "false", 0.0
		}
		if end, err = literal(s, i, word); err != nil {
			return 0, err
		}
		for j := range k.targets {
			switch t := &k.targets[j]; t.kind {
			case schemas.Num:
				d.b.Num[t.slot][d.row] = num
			case schemas.Str:
				d.b.Str[t.slot][d.row] = d.bytes(s[i:end:end])
			default:
				return 0, d.wrong(t, i, "a boolean")
			}
		}
		return end, nil
	}
	if end = scanNumber(s, i); end < 0 {
		if i+1 >= len(s) && c == '-' {
			return 0, truncated(i)
		}
		return 0, poison("bad_json", i, "expected a value, found "+quoteByte(c))
	}
	for j := range k.targets {
		if err := d.setNumber(&k.targets[j], i, s[i:end:end]); err != nil {
			return 0, err
		}
	}
	return end, nil
}

func (d *decoder) clear(t *target) {
	if t.kind == schemas.Str {
		d.b.Str[t.slot][d.row] = nil
	} else {
		d.b.Num[t.slot][d.row] = math.NaN()
	}
}

func (d *decoder) bytes(v []byte) []byte {
	if d.p.own {
		return d.b.Own(v)
	}
	return v
}

func (d *decoder) setNumber(t *target, at int, v []byte) *schemas.Poison {
	switch t.kind {
	case schemas.Num:
		f, ok := ParseFloat(v)
		if !ok {
			return d.fieldPoison(t, "number_out_of_range", at, "a float64 is below 1.8e308, found "+clip(v))
		}
		d.b.Num[t.slot][d.row] = f
	case schemas.Str:
		d.b.Str[t.slot][d.row] = d.bytes(v)
	default:
		ms, ok := int64(0), false
		if n, isInt := ParseInt(v); isInt {
			ms, ok = MillisOf(t.unit, n)
		} else if f, isFloat := ParseFloat(v); isFloat {
			ms, ok = MillisOfFloat(t.unit, f)
		}
		if !ok {
			return d.fieldPoison(t, "not_a_time", at, "out of range: "+clip(v))
		}
		d.setTime(t, ms)
	}
	return nil
}

func (d *decoder) setTime(t *target, ms int64) {
	d.b.Num[t.slot][d.row] = float64(ms)
	if t.time {
		d.b.Time[d.row] = ms
	}
}

// setString takes v, which already is as the batch may keep it.
func (d *decoder) setString(t *target, at int, v []byte) *schemas.Poison {
	switch t.kind {
	case schemas.Str:
		d.b.Str[t.slot][d.row] = v
		return nil
	case schemas.Time:
		ms, ok := ParseTime(v)
		if !ok {
			return d.fieldPoison(t, "not_a_time", at, "expected RFC 3339 like 2018-04-01T00:00:31Z, found "+clip(v))
		}
		d.setTime(t, ms)
		return nil
	}
	if d.p.numeric && IsNumber(v) {
		return d.setNumber(t, at, v)
	}
	return d.wrong(t, at, "the string "+clip(v))
}

func (d *decoder) fieldPoison(t *target, reason string, at int, detail string) *schemas.Poison {
	return &schemas.Poison{Reason: reason, Field: d.p.cols[t.col].Name, At: at, Detail: detail}
}

func (d *decoder) wrong(t *target, at int, found string) *schemas.Poison {
	return d.fieldPoison(t, "wrong_type", at, "expected a "+t.kind.String()+", found "+found)
}

func clip(v []byte) string {
	if len(v) > 40 {
		return string(AppendString(nil, v[:40])) + "…"
	}
	return string(AppendString(nil, v))
}
