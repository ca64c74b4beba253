package online

import (
	"context"
	"encoding/binary"
	"time"
)

// Order is the position in the log that a value was computed from. Seq tells apart several values of one offset (a columnar batch holds many
// rows under one offset).
type Order struct {
	Offset int64
	Seq    uint64
}

// OrderSize is the length in bytes of an encoded Order.
const OrderSize = 16

// Bytes encodes o as 16 bytes, big-endian, so that bytewise comparison is comparison by (Offset, Seq). A negative offset ("before the
// first record") encodes as the lowest order of all.
func (o Order) Bytes() (b [OrderSize]byte) {
	if o.Offset < 0 {
		return b
	}
	binary.BigEndian.PutUint64(b[:8], uint64(o.Offset))
	binary.BigEndian.PutUint64(b[8:], o.Seq)
	return b
}

// OrderOf decodes what Order.Bytes encoded.
func OrderOf(b [OrderSize]byte) Order {
	return Order{Offset: int64(binary.BigEndian.Uint64(b[:8])), Seq: binary.BigEndian.Uint64(b[8:])}
}

// Field is one readable field of a value, for the hash format. A feature that is null has no Field.
type Field struct {
	Name string // as in the features topic: card_spend_24h
	Text string // decimal text for numbers, the text itself for categories
}

// Upsert is one entity's new value. The store reads it during the call only; the caller may reuse every slice afterwards.
type Upsert struct {
	Entity string // name of the entity, as in the pipeline file
	Key    []byte // any bytes; not empty
	Order  [OrderSize]byte
	Value  []byte        // opaque here: an Avro record in registry wire format, then an optional tail
	Fields []Field       // read for the hash format only
	TTL    time.Duration // 0: never expires; rounded up to a whole millisecond
}

// Stored is a value as the store holds it. Value and Fields belong to the store and must not be changed; they stay valid.
type Stored struct {
	Found  bool
	Order  [OrderSize]byte
	Value  []byte  // nil for the hash format in Redis
	Fields []Field // nil for the packed format in Redis; sorted by name
}

// Store keeps the newest value of each entity. All methods may be called concurrently. Errors are *Error, which tells trouble that passes
// from a configuration to change.
type Store interface {
	// Upsert writes the values that are not older than what is stored and returns how many were; the rest of the batch was refused
	// as older, if err is nil. With an error some of the batch may have been written; writing all of it again is always right.
	Upsert(ctx context.Context, batch []Upsert) (applied int, err error)
	// Get reads one value; false if there is none or it has expired.
	Get(ctx context.Context, entity string, key []byte) (Stored, bool, error)
	// MGet reads several values, result i for keys[i], with Found false for what is missing.
	MGet(ctx context.Context, entity string, keys [][]byte) ([]Stored, error)
	// Count returns how many values of the pipeline there are. O(stored keys); on Redis it scans the whole database and may count
	// a key twice while the server resizes its table.
	Count(ctx context.Context) (int64, error)
	// Ping returns nil if the store answers.
	Ping(ctx context.Context) error
	Close() error
}
