package events

import "freshet/schemas/avro"

// Late is an event that came after its stream's lateness. The fields are documented in late.avsc.
type Late struct {
	Stream     string
	ID         []byte
	TimeMs     int64
	ProgressMs int64
	LatenessMs int64
	Topic      string
	Partition  int32
	Offset     int64
	Value      []byte // nil: null
}

// Schema is the text of late.avsc.
func (x *Late) Schema() string { return text("late") }

// Append appends the Avro record, without a wire header.
func (x *Late) Append(dst []byte) []byte {
	dst = avro.AppendString(dst, x.Stream)
	dst = avro.AppendBytes(dst, x.ID)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendLong(dst, x.ProgressMs)
	dst = avro.AppendLong(dst, x.LatenessMs)
	dst = avro.AppendString(dst, x.Topic)
	dst = avro.AppendLong(dst, int64(x.Partition))
	dst = avro.AppendLong(dst, x.Offset)
	dst = avro.AppendNullableBytes(dst, x.Value)
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *Late) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.text("stream", x.Stream)
	o.textBytes("id", x.ID)
	o.long("time", x.TimeMs)
	o.long("progress", x.ProgressMs)
	o.long("lateness_ms", x.LatenessMs)
	o.text("topic", x.Topic)
	o.long("partition", int64(x.Partition))
	o.long("offset", x.Offset)
	o.raw("value", x.Value)
	return o.end()
}

// DecodeLate reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodeLate(payload []byte) (x Late, err error) {
	r := avro.NewReader(payload)
	x.Stream = r.String()
	x.ID = r.Bytes()
	x.TimeMs = r.Long()
	x.ProgressMs = r.Long()
	x.LatenessMs = r.Long()
	x.Topic = r.String()
	x.Partition = int32(r.Long())
	x.Offset = r.Long()
	x.Value = r.NullableBytes()
	return x, r.Err()
}
