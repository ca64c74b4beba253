package events

import "freshet/schemas/avro"

// Model is a snapshot of a model, the value of the topic of models. The fields are documented in model.avsc.
type Model struct {
	Name        string
	Version     uint64
	Learner     string
	Fingerprint uint64 // of the vector's schema
	Examples    int64
	TimeMs      int64 // event time of the newest example
	Offset      int64 // behind the last example
	Bytes       []byte
}

// Schema is the text of model.avsc.
func (x *Model) Schema() string { return text("model") }

// Append appends the Avro record, without a wire header.
func (x *Model) Append(dst []byte) []byte {
	dst = avro.AppendString(dst, x.Name)
	dst = avro.AppendLong(dst, int64(x.Version))
	dst = avro.AppendString(dst, x.Learner)
	dst = appendHex(avro.AppendLong(dst, 16), x.Fingerprint)
	dst = avro.AppendLong(dst, x.Examples)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendLong(dst, x.Offset)
	dst = avro.AppendBytes(dst, x.Bytes)
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *Model) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.text("name", x.Name)
	o.long("version", int64(x.Version))
	o.text("learner", x.Learner)
	o.hex("fingerprint", x.Fingerprint)
	o.long("examples", x.Examples)
	o.long("time", x.TimeMs)
	o.long("offset", x.Offset)
	o.raw("bytes", x.Bytes)
	return o.end()
}

// DecodeModel reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodeModel(payload []byte) (x Model, err error) {
	r := avro.NewReader(payload)
	x.Name = r.String()
	x.Version = uint64(r.Long())
	x.Learner = r.String()
	x.Fingerprint = readHex(r)
	x.Examples = r.Long()
	x.TimeMs = r.Long()
	x.Offset = r.Long()
	x.Bytes = r.Bytes()
	return x, r.Err()
}
