package avro

import (
	"fmt"

	"github.com/linkedin/goavro/v2"
)

// Codec decodes whole records without a layout, for tools and tests: slow, with allocations.
type Codec struct {
	plain, json *goavro.Codec
	check       *Program // bounds what goavro is given
}

// Generic makes a codec for one schema, which must be self-contained.
func Generic(schema string) (*Codec, error) {
	plain, err := goavro.NewCodec(schema)
	if err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	json, err := goavro.NewCodecForStandardJSONFull(schema)
	if err != nil {
		return nil, fmt.Errorf("avro: %w", err)
	}
	check, err := compileCheck(schema, Options{})
	if err != nil {
		return nil, err
	}
	return &Codec{plain: plain, json: json, check: check}, nil
}

// compileCheck compiles a program that only walks over a value of any schema, every item of every block.
func compileCheck(schema string, o Options) (*Program, error) {
	o = o.withDefaults()
	n, err := parse(schema, o.Refs)
	if err != nil {
		return nil, err
	}
	c := newCompiler(o)
	c.skip(n)
	if len(c.ops) > maxOps {
		return nil, fmt.Errorf("avro: the schema needs more than %d steps", maxOps)
	}
	c.p.ops, c.p.walk = c.ops, true
	return c.p, nil
}

// Native decodes one value as goavro does (records are maps, unions one-key maps) and returns the bytes behind it.
// Counts and depth are held to the limits of Options before goavro, which has none, sees the payload.
func (c *Codec) Native(payload []byte) (v any, rest []byte, err error) {
	if len(payload) > c.check.maxBytes {
		return nil, nil, poison("too_large", c.check.maxBytes, "%d bytes, the limit is %d", len(payload), c.check.maxBytes)
	}
	if _, err := c.check.run(c.check.ops, nil, 0, payload, 0, 0); err != nil {
		return nil, nil, err
	}
	v, rest, err = c.plain.NativeFromBinary(payload)
	if err != nil {
		return nil, nil, poison("undecodable", -1, "%v", err)
	}
	return v, rest, nil
}

// JSON appends one record as plain JSON: unions without their branch names, bytes as strings of code points.
func (c *Codec) JSON(dst, payload []byte) ([]byte, error) {
	v, _, err := c.Native(payload)
	if err != nil {
		return dst, err
	}
	return c.json.TextualFromNative(dst, v)
}

// Append encodes what Native returns.
func (c *Codec) Append(dst []byte, native any) ([]byte, error) {
	return c.plain.BinaryFromNative(dst, native)
}

// AppendJSON encodes a record from plain JSON.
func (c *Codec) AppendJSON(dst, text []byte) ([]byte, error) {
	v, _, err := c.json.NativeFromTextual(text)
	if err != nil {
		return dst, err
	}
	return c.json.BinaryFromNative(dst, v)
}
