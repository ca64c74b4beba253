package events

import "freshet/schemas/avro"

// Retrain is a request to train a model again. The fields are documented in retrain.avsc.
type Retrain struct {
	ID           string
	TimeMs       int64
	Model        string
	Reason       string // drift, schedule
	Policy       string
	DriftIDs     []string
	FromMs       int64 // inclusive
	ToMs         int64 // exclusive
	OffsetFrom   int64
	OffsetTo     int64
	Examples     int64
	ModelVersion uint64 // 0: none yet
}

// Schema is the text of retrain.avsc.
func (x *Retrain) Schema() string { return text("retrain") }

// Append appends the Avro record, without a wire header.
func (x *Retrain) Append(dst []byte) []byte {
	dst = avro.AppendString(dst, x.ID)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendString(dst, x.Model)
	dst = avro.AppendString(dst, x.Reason)
	dst = avro.AppendString(dst, x.Policy)
	dst = appendStrings(dst, x.DriftIDs)
	dst = avro.AppendLong(dst, x.FromMs)
	dst = avro.AppendLong(dst, x.ToMs)
	dst = avro.AppendLong(dst, x.OffsetFrom)
	dst = avro.AppendLong(dst, x.OffsetTo)
	dst = avro.AppendLong(dst, x.Examples)
	dst = avro.AppendLong(dst, int64(x.ModelVersion))
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *Retrain) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.text("id", x.ID)
	o.long("time", x.TimeMs)
	o.text("model", x.Model)
	o.text("reason", x.Reason)
	o.text("policy", x.Policy)
	o.texts("drift_ids", x.DriftIDs)
	o.long("from", x.FromMs)
	o.long("to", x.ToMs)
	o.long("offset_from", x.OffsetFrom)
	o.long("offset_to", x.OffsetTo)
	o.long("examples", x.Examples)
	o.long("model_version", int64(x.ModelVersion))
	return o.end()
}

// DecodeRetrain reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodeRetrain(payload []byte) (x Retrain, err error) {
	r := avro.NewReader(payload)
	x.ID = r.String()
	x.TimeMs = r.Long()
	x.Model = r.String()
	x.Reason = r.String()
	x.Policy = r.String()
	x.DriftIDs = readStrings(r)
	x.FromMs = r.Long()
	x.ToMs = r.Long()
	x.OffsetFrom = r.Long()
	x.OffsetTo = r.Long()
	x.Examples = r.Long()
	x.ModelVersion = uint64(r.Long())
	return x, r.Err()
}
