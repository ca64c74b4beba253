package registry

import (
	"context"
	"errors"
	"fmt"

	"freshet/schemas"
	"freshet/schemas/avro"
)

// Schemas is where a Decoder learns an id's schema; a *Client is one.
type Schemas interface {
	Schema(ctx context.Context, id uint32) (text string, refs map[string]string, err error)
}

// maxPrograms bounds the schemas of one topic that are compiled at a time.
const maxPrograms = 256

// Decoder decodes Confluent's wire format: a zero byte, the writer's schema id (4 bytes, big-endian), the record. It
// compiles each id once. It belongs to one goroutine; the Schemas behind it may be shared.
type Decoder struct {
	ctx      context.Context
	schemas  Schemas
	layout   *schemas.Layout
	o        avro.Options
	programs map[uint32]compiled
	lastID   uint32
	last     *avro.Program
}

type compiled struct {
	program *avro.Program
	poison  *schemas.Poison // the schema cannot feed the pipeline
}

// NewDecoder makes a decoder; ctx bounds its waits for the registry. For topics without ids use avro.Compile with the
// one schema: a *avro.Program is a schemas.Decoder too.
func NewDecoder(ctx context.Context, s Schemas, l *schemas.Layout, o avro.Options) *Decoder {
	return &Decoder{ctx: ctx, schemas: s, layout: l, o: o, programs: map[uint32]compiled{}}
}

// Decode implements schemas.Decoder. Besides avro's reasons, poison is bad_magic, truncated, unknown_schema or
// incompatible_schema (the id's schema lacks what the pipeline needs). An error that is not poison Is ErrTransient: the
// registry did not answer or refused us, the record is to be tried again.
func (d *Decoder) Decode(b *schemas.Batch, row int, payload []byte) error {
	id, record, ok := avro.ConfluentID(payload)
	if !ok {
		if len(payload) > 0 && payload[0] != 0 {
			return &schemas.Poison{Reason: "bad_magic", At: 0, Detail: fmt.Sprintf("the first byte is 0x%02x, expected 0x00 and a schema id", payload[0])}
		}
		return &schemas.Poison{Reason: "truncated", At: len(payload), Detail: "the payload ends within the schema id"}
	}
	program := d.last
	if program == nil || id != d.lastID {
		c, ok := d.programs[id]
		if !ok {
			var err error
			if c, err = d.compile(id); err != nil {
				return err
			}
		}
		if c.poison != nil {
			return c.poison
		}
		program, d.last, d.lastID = c.program, c.program, id
	}
	err := program.Decode(b, row, record)
	if p, ok := err.(*schemas.Poison); ok && p.At >= 0 {
		p.At += len(payload) - len(record)
	}
	return err
}

func (d *Decoder) compile(id uint32) (compiled, error) {
	text, refs, err := d.schemas.Schema(d.ctx, id)
	switch {
	case errors.Is(err, ErrUnknownSchema):
		// Not kept here: the id may be registered a moment later, and the client remembers it for a short while.
		return compiled{}, &schemas.Poison{Reason: "unknown_schema", At: 1, Detail: fmt.Sprintf("schema id %d: %v", id, err)}
	case errors.Is(err, ErrTransient):
		return compiled{}, err
	case err != nil:
		return compiled{}, fmt.Errorf("%w: %w", ErrTransient, err)
	}
	o := d.o
	o.Refs = refs
	for name, text := range d.o.Refs {
		if _, ok := refs[name]; !ok {
			if o.Refs == nil {
				o.Refs = map[string]string{}
			}
			o.Refs[name] = text
		}
	}
	var c compiled
	if c.program, err = avro.Compile(text, d.layout, o); err != nil {
		c.poison = &schemas.Poison{Reason: "incompatible_schema", At: 1, Detail: fmt.Sprintf("schema id %d: %v", id, err)}
	}
	if len(d.programs) >= maxPrograms {
		clear(d.programs)
	}
	d.programs[id] = c
	return c, nil
}
