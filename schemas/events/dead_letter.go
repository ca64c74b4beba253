package events

import "freshet/schemas/avro"

// DeadLetter is a record that could not be used. The fields are documented in dead_letter.avsc.
type DeadLetter struct {
	Topic     string
	Partition int32
	Offset    int64
	TimeMs    int64 // the record's own timestamp
	Reason    string
	Field     string // "": null
	Detail    string // "": null
	Key       []byte // nil: null
	Value     []byte // nil: null
}

// Schema is the text of dead_letter.avsc.
func (x *DeadLetter) Schema() string { return text("dead_letter") }

// Append appends the Avro record, without a wire header.
func (x *DeadLetter) Append(dst []byte) []byte {
	dst = avro.AppendString(dst, x.Topic)
	dst = avro.AppendLong(dst, int64(x.Partition))
	dst = avro.AppendLong(dst, x.Offset)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendString(dst, x.Reason)
	dst = avro.AppendNullableString(dst, x.Field)
	dst = avro.AppendNullableString(dst, x.Detail)
	dst = avro.AppendNullableBytes(dst, x.Key)
	dst = avro.AppendNullableBytes(dst, x.Value)
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *DeadLetter) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.text("topic", x.Topic)
	o.long("partition", int64(x.Partition))
	o.long("offset", x.Offset)
	o.long("time", x.TimeMs)
	o.text("reason", x.Reason)
	o.nullableText("field", x.Field)
	o.nullableText("detail", x.Detail)
	o.raw("key", x.Key)
	o.raw("value", x.Value)
	return o.end()
}

// DecodeDeadLetter reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodeDeadLetter(payload []byte) (x DeadLetter, err error) {
	r := avro.NewReader(payload)
	x.Topic = r.String()
	x.Partition = int32(r.Long())
	x.Offset = r.Long()
	x.TimeMs = r.Long()
	x.Reason = r.String()
	x.Field = r.NullableString()
	x.Detail = r.NullableString()
	x.Key = r.NullableBytes()
	x.Value = r.NullableBytes()
	return x, r.Err()
}
