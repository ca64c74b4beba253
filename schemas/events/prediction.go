package events

import "freshet/schemas/avro"

// Prediction is one answer for one event. The fields are documented in prediction.avsc.
type Prediction struct {
	ID          []byte
	TimeMs      int64
	Model       string
	Version     uint64
	Role        string  // champion, challenger, shadow
	Score       float64 // probability of the positive class, or the value
	Low, High   float64 // bounds of the score at the model's coverage; NaN: null
	Class       int32   // negative: null (a regression)
	Label       string  // "": null
	Source      string  // model, rule, fallback
	Reason      string  // "": null
	Fingerprint uint64  // of the vector's schema
}

// Schema is the text of prediction.avsc.
func (x *Prediction) Schema() string { return text("prediction") }

// Append appends the Avro record, without a wire header.
func (x *Prediction) Append(dst []byte) []byte {
	dst = avro.AppendBytes(dst, x.ID)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendString(dst, x.Model)
	dst = avro.AppendLong(dst, int64(x.Version))
	dst = avro.AppendString(dst, x.Role)
	dst = avro.AppendDouble(dst, x.Score)
	dst = avro.AppendNullableLong(dst, int64(x.Class), x.Class >= 0)
	dst = avro.AppendNullableString(dst, x.Label)
	dst = avro.AppendString(dst, x.Source)
	dst = avro.AppendNullableString(dst, x.Reason)
	dst = appendHex(avro.AppendLong(dst, 16), x.Fingerprint)
	dst = avro.AppendNullableDouble(dst, x.Low)
	dst = avro.AppendNullableDouble(dst, x.High)
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *Prediction) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.textBytes("id", x.ID)
	o.long("time", x.TimeMs)
	o.text("model", x.Model)
	o.long("version", int64(x.Version))
	o.text("role", x.Role)
	o.double("score", x.Score)
	o.nullableLong("class", int64(x.Class), x.Class >= 0)
	o.nullableText("label", x.Label)
	o.text("source", x.Source)
	o.nullableText("reason", x.Reason)
	o.hex("fingerprint", x.Fingerprint)
	o.double("low", x.Low)
	o.double("high", x.High)
	return o.end()
}

// DecodePrediction reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodePrediction(payload []byte) (x Prediction, err error) {
	r := avro.NewReader(payload)
	x.ID = r.Bytes()
	x.TimeMs = r.Long()
	x.Model = r.String()
	x.Version = uint64(r.Long())
	x.Role = r.String()
	x.Score = r.Double()
	x.Class = int32(r.NullableLong(-1))
	x.Label = r.NullableString()
	x.Source = r.String()
	x.Reason = r.NullableString()
	x.Fingerprint = readHex(r)
	x.Low, x.High = r.NullableDouble(), r.NullableDouble()
	return x, r.Err()
}
