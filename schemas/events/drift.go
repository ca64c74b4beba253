package events

import "freshet/schemas/avro"

// Drift is a detector's report. The fields are documented in drift.avsc.
type Drift struct {
	ID               string
	TimeMs           int64
	Kind             DriftKind
	Model            string // "": null
	Series           string
	Segment          string // "": null
	Detector         string
	Statistic        float64
	Threshold        float64
	Severity         float64 // NaN: null
	WindowStartMs    int64
	WindowEndMs      int64
	ReferenceStartMs int64 // NullMs: null
	ReferenceEndMs   int64 // NullMs: null
	OffsetFrom       int64
	OffsetTo         int64
	ModelVersion     uint64 // 0: null
}

// Schema is the text of drift.avsc.
func (x *Drift) Schema() string { return text("drift") }

// Append appends the Avro record, without a wire header.
func (x *Drift) Append(dst []byte) []byte {
	dst = avro.AppendString(dst, x.ID)
	dst = avro.AppendLong(dst, x.TimeMs)
	dst = avro.AppendLong(dst, int64(x.Kind))
	dst = avro.AppendNullableString(dst, x.Model)
	dst = avro.AppendString(dst, x.Series)
	dst = avro.AppendNullableString(dst, x.Segment)
	dst = avro.AppendString(dst, x.Detector)
	dst = avro.AppendDouble(dst, x.Statistic)
	dst = avro.AppendDouble(dst, x.Threshold)
	dst = avro.AppendNullableDouble(dst, x.Severity)
	dst = avro.AppendLong(dst, x.WindowStartMs)
	dst = avro.AppendLong(dst, x.WindowEndMs)
	dst = avro.AppendNullableLong(dst, x.ReferenceStartMs, x.ReferenceStartMs != NullMs)
	dst = avro.AppendNullableLong(dst, x.ReferenceEndMs, x.ReferenceEndMs != NullMs)
	dst = avro.AppendLong(dst, x.OffsetFrom)
	dst = avro.AppendLong(dst, x.OffsetTo)
	dst = avro.AppendNullableLong(dst, int64(x.ModelVersion), x.ModelVersion != 0)
	return dst
}

// AppendJSON appends the same as one JSON object; times are milliseconds, bytes are text where they are UTF-8.
func (x *Drift) AppendJSON(dst []byte) []byte {
	o := begin(dst)
	o.text("id", x.ID)
	o.long("time", x.TimeMs)
	o.text("kind", x.Kind.String())
	o.nullableText("model", x.Model)
	o.text("series", x.Series)
	o.nullableText("segment", x.Segment)
	o.text("detector", x.Detector)
	o.double("statistic", x.Statistic)
	o.double("threshold", x.Threshold)
	o.double("severity", x.Severity)
	o.long("window_start", x.WindowStartMs)
	o.long("window_end", x.WindowEndMs)
	o.nullableLong("reference_start", x.ReferenceStartMs, x.ReferenceStartMs != NullMs)
	o.nullableLong("reference_end", x.ReferenceEndMs, x.ReferenceEndMs != NullMs)
	o.long("offset_from", x.OffsetFrom)
	o.long("offset_to", x.OffsetTo)
	o.nullableLong("model_version", int64(x.ModelVersion), x.ModelVersion != 0)
	return o.end()
}

// DecodeDrift reads what Append wrote; slices alias payload. The error is a *schemas.Poison.
func DecodeDrift(payload []byte) (x Drift, err error) {
	r := avro.NewReader(payload)
	x.ID = r.String()
	x.TimeMs = r.Long()
	x.Kind = readKind(r)
	x.Model = r.NullableString()
	x.Series = r.String()
	x.Segment = r.NullableString()
	x.Detector = r.String()
	x.Statistic = r.Double()
	x.Threshold = r.Double()
	x.Severity = r.NullableDouble()
	x.WindowStartMs = r.Long()
	x.WindowEndMs = r.Long()
	x.ReferenceStartMs = r.NullableLong(NullMs)
	x.ReferenceEndMs = r.NullableLong(NullMs)
	x.OffsetFrom = r.Long()
	x.OffsetTo = r.Long()
	x.ModelVersion = uint64(r.NullableLong(0))
	return x, r.Err()
}

// DriftKind is what moved.
type DriftKind uint8

// The kinds, in the order of the schema's symbols.
const (
	ErrorDrift DriftKind = iota
	FeatureDrift
	PredictionDrift
	LabelDrift
)

var driftKinds = [...]string{"error", "feature", "prediction", "label"}

func (k DriftKind) String() string {
	if int(k) < len(driftKinds) {
		return driftKinds[k]
	}
	return "unknown"
}

func readKind(r *avro.Reader) DriftKind {
	k := r.Long()
	if k < 0 || k >= int64(len(driftKinds)) {
		r.Fail("bad_enum", "expected a kind of drift, 0 to 3")
		return 0
	}
	return DriftKind(k)
}
