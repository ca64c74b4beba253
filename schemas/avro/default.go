package avro

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"

	"freshet/schemas"
)

// missing compiles a wanted field that the writer does not have.
func (c *compiler) missing(k *want, w *node, rf *field) {
	if rf == nil || !rf.hasDef {
		k.all(func(col int) {
			if c.required(col) {
				c.fail("field %s is required, the writer's schema does not have it%s", c.l.Cols[col].Name, didYouMean(k.name, w))
			}
		})
		return
	}
	c.constant(k, rf.typ, rf.def)
}

// constant compiles the reader's default def of type t.
func (c *compiler) constant(k *want, t *node, def any) {
	if t.kind == kUnion {
		for _, b := range t.branches {
			if (b.kind == kNull) == (def == nil) {
				t = b
				break
			}
		}
	}
	if def == nil {
		k.all(func(col int) {
			if c.required(col) {
				c.fail("field %s is required, the writer's schema does not have it and its default is null", c.l.Cols[col].Name)
			}
		})
		return
	}
	if m, ok := def.(map[string]any); ok && t.kind == kRecord && len(k.cols) == 0 {
		for _, kid := range k.kids {
			f := t.field(kid.name)
			if f == nil {
				c.fail("field %s is not in the reader schema%s", kid.path, didYouMean(kid.name, t))
			} else if v, ok := m[kid.name]; ok {
				c.constant(kid, f.typ, v)
			} else {
				c.missing(kid, t, f)
			}
		}
		return
	}
	if len(k.kids) > 0 {
		c.fail("field %s is %s in the reader schema, it has no member %s", k.path, t.article(), k.kids[0].name)
		return
	}
	for _, col := range k.cols {
		o, err := c.constOp(t, def, col)
		if err != nil {
			c.fail("field %s: default %s: %w", k.path, clip(def), err)
			return
		}
		o.time = col == c.o.TimeCol
		o.slot, o.col = int32(c.l.Slot[col]), int32(col)
		c.emit(o)
	}
}

func (c *compiler) constOp(t *node, def any, col int) (op, error) {
	// A default is what its own binary form would decode to, so that is how it is made.
	raw, err := appendDefault(nil, t, def)
	if err != nil {
		return op{}, err
	}
	load, err := c.load(t, nil, col)
	if err != nil {
		return op{}, err
	}
	load.slot = 0
	one := schemas.NewBatch(schemas.NewLayout([]schemas.Column{{Name: c.l.Cols[col].Name, Kind: c.l.Cols[col].Kind}}), 1)
	load.col = int32(col)
	if _, perr := c.p.run([]op{load}, one, one.AppendRow(0), raw, 0, 0); perr != nil {
		return op{}, perr
	}
	if c.l.Cols[col].Kind == schemas.Str {
		c.p.consts = append(c.p.consts, one.Str[0][0])
		return op{code: opConstStr, n: int32(len(c.p.consts) - 1)}, nil
	}
	c.p.nums = append(c.p.nums, one.Num[0][0])
	code := opConstNum
	if c.l.Cols[col].Kind == schemas.Time {
		code = opConstTime
		if math.IsNaN(one.Num[0][0]) {
			return op{}, errors.New("not a time")
		}
	}
	return op{code: code, n: int32(len(c.p.nums) - 1)}, nil
}

// appendDefault writes a schema's JSON default in binary (specification, "Complex types": bytes and fixed are strings
// whose code points are the bytes).
func appendDefault(dst []byte, t *node, def any) ([]byte, error) {
	bad := fmt.Errorf("expected %s", t.article())
	switch t.kind {
	case kBoolean:
		b, ok := def.(bool)
		if !ok {
			return nil, bad
		}
		return AppendBool(dst, b), nil
	case kInt, kLong:
		n, _ := def.(stdjson.Number)
		v, err := n.Int64()
		if err != nil || t.kind == kInt && int64(int32(v)) != v {
			return nil, bad
		}
		return AppendLong(dst, v), nil
	case kFloat, kDouble:
		n, _ := def.(stdjson.Number)
		v, err := n.Float64()
		if err != nil {
			return nil, bad
		}
		if t.kind == kFloat {
			return AppendFloat(dst, float32(v)), nil
		}
		return AppendDouble(dst, v), nil
	case kString:
		s, ok := def.(string)
		if !ok {
			return nil, bad
		}
		return AppendString(dst, s), nil
	case kEnum:
		s, _ := def.(string)
		for i, sym := range t.symbols {
			if sym == s {
				return AppendLong(dst, int64(i)), nil
			}
		}
		return nil, bad
	case kBytes, kFixed:
		s, ok := def.(string)
		var raw []byte
		for _, r := range s {
			ok = ok && r <= math.MaxUint8
			raw = append(raw, byte(r))
		}
		if !ok || t.kind == kFixed && len(raw) != t.size {
			return nil, bad
		}
		if t.kind == kFixed {
			return append(dst, raw...), nil
		}
		return AppendBytes(dst, raw), nil
	}
	return nil, errors.New("a default of this type cannot be a column")
}
