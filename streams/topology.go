package streams

import (
	"freshet/features"
	"freshet/features/expr"
	"freshet/schemas"
)

// Topology is a compiled pipeline: which stages there are, what travels between them, and the programs that each row runs
// through. It is built once, is never changed afterwards and is shared by all tasks. `freshet plan` prints it.
//
// Every stream has one row layout (StreamPlan.Row). All expressions over its rows are compiled against the slots of that
// layout (expr.Env: Num and Str), so a row is copied into an Env once per stage and everything reads it there. The events'
// stream has, besides its fields, one slot for every feature and derived value: what travels between stages is a subset of
// its columns, the ones that a later station still needs.
type Topology struct {
	Pipeline *Pipeline
	Streams  []*StreamPlan // in the order of the file
	Events   int           // index of the stream whose events get vectors
	Stages   []*Stage      // in topological order: ingests, joins, entities in a chain, learn
	Vector   []VectorColumn
	Derived  []DerivedPlan
	Rules    []RulePlan
	Models   []*ModelPlan
	Watches  []*WatchPlan
	// Fingerprint identifies the vector's schema: names and kinds in order. It travels with models, vectors and examples.
	Fingerprint uint64
	// FeatureCols are the columns of the features topic after id and time: key fields, then features and derived.
	FeatureCols []FeatureCol
}

// StreamKind says where a stream's records come from.
type StreamKind uint8

const (
	SourceStream StreamKind = iota // a topic or a file
	LaterStream                    // the records of Base, known later: never travels by itself
	JoinStream                     // made by a join stage
)

// StreamPlan is one stream.
type StreamPlan struct {
	Name  string
	Index int
	Kind  StreamKind
	Spec  *Stream
	// Row is the layout of this stream's rows (and of expr.Env slots); a later stream shares its base's. For a source stream the
	// first Wire columns are decoded from records; what follows is computed (features, derived).
	Row    *schemas.Layout
	Wire   *schemas.Layout // SourceStream: the columns that are decoded, a prefix of Row
	IDCol  int             // column index in Row (a Str column), -1 when the stream has no id
	TimeSl int             // SourceStream: Num slot of the event time
	KeySl  int             // SourceStream: Str slot of keyed_by, -1 none

	Base    int           // LaterStream: index of the base stream
	DelayMs int64         // LaterStream by delay
	AtSl    int           // LaterStream by field: Num slot of the base row holding the time in ms, else -1
	AheadMs int64         // LaterStream: a record known later than this after its event is never known (its delay, or within)
	Where   *expr.Program // LaterStream: nil = all

	LatenessMs int64
	MaxAgeMs   int64
	MaxAheadMs int64
}

// StageKind says what a stage does with its log.
type StageKind uint8

const (
	IngestStage StageKind = iota // reads a source topic: decode, lateness; may hold the first entity (fused)
	JoinStage                    // keyed by the join field
	EntityStage                  // keyed by one entity
	LearnStage                   // served vectors + labels → models, drift; as many partitions as shards
)

// Stage is one part of the pipeline, run as one task a partition of its log. An ingest stage's log is its source topic, any
// other's is an internal topic named after it, of which every record is a batch from one upstream task.
type Stage struct {
	Index  int
	Name   string // "transactions" (ingest), "card", "labelled", "learn": unique, part of the internal topic's name
	Kind   StageKind
	Stream int         // IngestStage: the source stream. JoinStage: the join stream it makes
	Inputs []Input     // what its log carries; empty for an ingest stage
	Entity *EntityPlan // EntityStage, or an ingest stage with the first entity fused in
	Join   *JoinPlan   // JoinStage
	Edges  []Edge      // where its rows go
	Final  bool        // the events' row is complete here: derived, models, rules, features and predictions go out
}

// Input is one kind of row in a stage's log.
type Input struct {
	Stream   int             // whose rows
	From     int             // the stage that writes them
	Cols     []int           // which columns of the stream's Row travel, ascending
	Wire     *schemas.Layout // those columns, as the batch has them
	Rank     int             // order at equal progress: streams that only bring knowledge come before the events
	Label    bool            // LearnStage: brings labels. The row's Time is when it is known, which may be after its progress
	EdgeKind EdgeKind
}

// EdgeKind says which rows of a stage travel along an edge.
type EdgeKind uint8

const (
	RowsEdge   EdgeKind = iota // every row of the stream, after the stage's own work
	ServedEdge                 // the complete rows of the final stage, with predictions, to learn
	LabelEdge                  // rows of a later stream to learn: id, columns of the target, known time
)

// Edge leads rows of a stage to an input of another.
type Edge struct {
	To    int // stage index
	Input int // index within Stages[To].Inputs
	Kind  EdgeKind
	Later int   // LabelEdge: the later stream whose known time and filter apply
	Key   []int // Str slots of the row whose values, in order, are the key that picks the partition; empty: partition 0
}

// EntityPlan is one entity's features.
type EntityPlan struct {
	Name    string
	Key     []string // field names
	KeySl   []int    // Str slots in the events' row
	Plan    *features.Entity
	Streams []EntityStream
	Out     []int     // per feature: Num slot in the events' row
	Names   []string  // per feature: full name, card_spend_24h
	Empty   []float64 // per feature: value where null; NaN keeps null
	MaxMs   int64     // until nothing of an event counts any more: the longest window and delay, 30 days without windows; the TTL's default
}

// EntityStream is one of the streams an entity aggregates; its index is the stream index of EntityPlan.Plan.
type EntityStream struct {
	Stream int         // index in Topology.Streams; rows of it, or of its base when it is a later stream
	KeySl  []int       // Str slots of the entity's key in that stream's row
	Inputs []InputProg // one a word
}

// InputProg computes one input word of an aggregation from a row.
type InputProg struct {
	Where *expr.Program // nil: always. Where false gives null
	Arg   *expr.Program // nil with One
	StrSl int           // distinct over a plain string field: its slot, else -1
	Hash  bool          // the word is a hash of the value (distinct), 0 = null; else Float64bits, NaN = null
	One   bool          // count() with a filter: 1 or null
}

// JoinPlan is a join of two streams on a field.
type JoinPlan struct {
	Left, Right     int   // indices of Inputs
	LeftKey         int   // Str slot in the left row
	RightKey        int   // Str slot in the right row
	WithinMs        int64 // a left row without a match is emitted this long after its time
	LeftTo, RightTo []ColMap
	Otherwise       []ColDefault
}

// ColMap copies one column of an input row to the output row.
type ColMap struct {
	Kind     schemas.Kind
	From, To int // slots
}

// ColDefault sets one column of the output row.
type ColDefault struct {
	Kind schemas.Kind
	To   int
	Num  float64
	Str  []byte
}

// VectorColumn is one column of the events' row that models may use.
type VectorColumn struct {
	Name string
	Kind schemas.Kind
	Slot int
	Type string // "long", "double", "string"
	Doc  string
}

// FeatureCol is one column of the features topic.
type FeatureCol struct {
	Name   string
	Type   string // long, double, string
	Kind   schemas.Kind
	Slot   int // in the events' row
	Entity int // index of the entity (in order of the chain) it belongs to, -1 for derived, -2 for key fields
	Doc    string
}

// DerivedPlan computes one derived value.
type DerivedPlan struct {
	Name string
	Prog *expr.Program
	Out  int // Num slot
}

// RulePlan is one rule.
type RulePlan struct {
	When   *expr.Program
	Score  float64
	Reason string
}

// ModelPlan is one model.
type ModelPlan struct {
	Name       string
	Spec       *ModelSpec
	Index      int
	Regression bool
	Cols       []ModelCol
	Nominal    []int         // indices of Cols that are categories
	Labels     int           // stream that brings the target
	LabelInput int           // index in the learn stage's Inputs
	Target     *expr.Program // over the label stream's row
	LearnIf    *expr.Program // over the label stream's row, nil = all
	Baseline   *expr.Program // over the events' row, nil = none
	HorizonMs  int64
	SettleMs   int64   // no example is learned earlier than this after its event
	Silence    float64 // NaN: dropped
	SnapshotMs int64
	Champion   bool
	Traffic    float64 // share of decisions, challenger
	Classes    int     // 0: a regression
	Interval   bool    // its learner gives bounds
	Slot       int     // of its score among the env's slots for predictions; see modelslots.go
}

// ModelCol is one input of a model: a Num slot as it is, or a Str slot whose value becomes a category code
// (the low 32 bits of its xxHash64, as a number).
type ModelCol struct {
	Name string
	Kind schemas.Kind
	Slot int
}

// WatchPlan is one drift watch.
type WatchPlan struct {
	Spec  *Watch
	Index int
	What  string // error, prediction, label, value (of one feature), feature (all of them)
	Name  string // of value
	Model int    // index of the model; -1 for features
	BySl  int    // Str slot in the events' row, -1 none
	Cols  []ModelCol
}

// TimeCol is the index of the event time among the columns that are decoded, -1 when the stream is not a source.
func (s *StreamPlan) TimeCol() int {
	if s.Wire == nil {
		return -1
	}
	for i, c := range s.Wire.Cols {
		if c.Kind == schemas.Time && s.Wire.Slot[i] == s.TimeSl {
			return i
		}
	}
	return -1
}
