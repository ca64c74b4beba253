package avro

import (
	"fmt"

	"freshet/schemas"
)

// load picks the step that makes column col of a value written as w and, where there is a reader, read as r.
func (c *compiler) load(w, r *node, col int) (op, error) {
	cl := c.l.Cols[col]
	logical, eff := w, w.kind
	if r != nil {
		eff = r.kind
		if w.logical == "" {
			logical = r
		}
	}
	o := op{w32: w.kind == kInt, size: -1}
	if w.kind == kFixed {
		o.size = int32(w.size)
	}
	bad := fmt.Errorf("is %s in the schema, the pipeline uses it as a %s", w.article(), cl.Kind)
	decimal := logical.logical == "decimal"
	switch w.kind {
	case kArray, kMap, kRecord, kNull, kUnion:
		return o, bad
	case kInt, kLong:
		switch cl.Kind {
		case schemas.Num:
			o.code = opLongNum
			if eff == kFloat {
				o.code = opLongNum32
			}
		case schemas.Str:
			if eff != kInt && eff != kLong {
				return o, bad
			}
			o.code = opLongStr
		case schemas.Time:
			o.code = opLongTime
			switch logical.logical {
			case "":
				o.unit = uint8(cl.Unit)
			case "timestamp-millis", "local-timestamp-millis":
				o.unit = uint8(schemas.Millis)
			case "timestamp-micros", "local-timestamp-micros":
				o.unit = uint8(schemas.Micros)
			case "timestamp-nanos", "local-timestamp-nanos":
				o.unit = uint8(schemas.Nanos)
			case "date":
				o.code = opDateTime
			default: // a time of day
				return o, bad
			}
		}
	case kFloat, kDouble:
		o.unit = uint8(cl.Unit)
		switch cl.Kind {
		case schemas.Num:
			o.code = opDoubleNum
			if w.kind == kFloat {
				o.code = opFloatNum
			}
		case schemas.Time:
			o.code = opDoubleTime
			if w.kind == kFloat {
				o.code = opFloatTime
			}
		default:
			return o, bad
		}
	case kBoolean:
		switch cl.Kind {
		case schemas.Num:
			o.code = opBoolNum
		case schemas.Str:
			o.code = opBoolStr
		default:
			return o, bad
		}
	case kEnum:
		if cl.Kind != schemas.Str {
			return o, bad
		}
		o.code, o.n = opEnumStr, int32(len(c.p.symbols))
		c.p.symbols = append(c.p.symbols, enumSymbols(w, r))
	case kBytes, kString, kFixed:
		switch {
		case decimal && cl.Kind == schemas.Num:
			o.code, o.n = opDecimalNum, int32(logical.scale)
		case decimal && cl.Kind == schemas.Str:
			o.code, o.n = opDecimalStr, int32(logical.scale)
		case cl.Kind == schemas.Str && w.kind == kFixed:
			o.code = opFixedStr
			if w.logical == "uuid" {
				o.code = opUUIDStr
			}
		case cl.Kind == schemas.Str:
			o.code = opBytesStr
		case cl.Kind == schemas.Time && eff == kString:
			o.code = opBytesTime
		default:
			return o, bad
		}
	}
	return o, nil
}

// enumSymbols is the writer's symbols as the reader knows them; one that it does not know is its default, or nil
// (poison).
func enumSymbols(w, r *node) [][]byte {
	out := make([][]byte, len(w.symbols))
	for i, s := range w.symbols {
		switch {
		case r == nil || r.kind != kEnum || has(r.symbols, s):
			out[i] = []byte(s)
		case has(r.symbols, r.defSym):
			out[i] = []byte(r.defSym)
		}
	}
	return out
}

func has(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
