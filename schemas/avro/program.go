package avro

import (
	"fmt"

	"freshet/schemas"
)

// Options of Compile.
type Options struct {
	TimeCol  int               // index into the layout's Cols (of kind Time) that is also the row's Batch.Time; -1: none
	Reader   string            // optional reader schema: aliases, defaults of fields that the writer lacks, promotions
	Refs     map[string]string // texts of named types that the schemas refer to, by full name
	MaxBytes int               // of one record, default 16 MiB
	MaxItems int               // of one array or map, default 65,536
	MaxDepth int               // of nested arrays, maps and recursive records, default 64
}

func (o Options) withDefaults() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.MaxItems <= 0 {
		o.MaxItems = 65536
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = 64
	}
	return o
}

// Program decodes records of one writer's schema into the columns of one layout. It is immutable and may be shared by
// goroutines.
type Program struct {
	ops      []op
	subs     [][]op    // what arrays, maps and large or recursive records repeat
	tables   [][]int32 // where each branch of a union begins
	symbols  [][][]byte
	consts   [][]byte // string defaults
	nums     []float64
	names    []string // columns, for poison
	maxBytes int
	maxItems int
	maxDepth int
	walk     bool // ignore the byte sizes of blocks and walk their items
}

type opcode uint8

const (
	opSkip      opcode = iota // n bytes
	opSkipLong                // a varint
	opSkipBytes               // a length and as many bytes
	opSkipArray               // sub n for each item; slot bytes an item, or -1
	opCall                    // sub n
	opJump                    // to n
	opNullable                // a union of null (branch slot) and one type: on null go to n
	opUnion                   // go to tables[n][branch]
	opNull                    // a required column is null
	opWrong                   // a branch that the column cannot be made of

	opLongNum
	opLongNum32 // as a reader's float
	opLongStr
	opLongTime
	opDateTime
	opFloatNum
	opFloatTime
	opDoubleNum
	opDoubleTime
	opBoolNum
	opBoolStr
	opBytesStr
	opBytesTime
	opFixedStr
	opUUIDStr
	opEnumStr
	opDecimalNum // n: the scale; size: bytes of a fixed, -1 for bytes
	opDecimalStr
	opConstNum
	opConstStr
	opConstTime
)

// op is one step. Several columns of one field are several steps, of which all but the last keep the place.
type op struct {
	code opcode
	keep bool  // do not move on: the next step reads the same value
	time bool  // also the row's time
	w32  bool  // an int: 32 bits
	unit uint8 // schemas.TimeUnit
	slot int32
	n    int32
	size int32
	col  int32 // index into names
}

// Decode implements schemas.Decoder. Strings alias payload, except formatted integers and decimals. It reads up to the
// last wanted field: a record that ends before it is poison, bytes after it are not looked at (a longer record is not
// an error). Values that no column wants are skipped by their length without a check of their content.
func (p *Program) Decode(b *schemas.Batch, row int, payload []byte) error {
	if len(payload) > p.maxBytes {
		return &schemas.Poison{Reason: "too_large", At: p.maxBytes, Detail: fmt.Sprintf("%d bytes, the limit is %d", len(payload), p.maxBytes)}
	}
	if _, err := p.run(p.ops, b, row, payload, 0, 0); err != nil {
		return err
	}
	return nil
}
