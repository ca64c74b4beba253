package streams

import "time"

// Pipeline is the pipeline file: what a team writes. Load reads and checks it; Compile turns it into a Topology.
// The JSON Schema for editors (deploy/pipelines/schema.json) is generated from these types.
//
// Mappings keep the order of the file, since the order of entities is the order of the chain and the order of streams
// breaks ties in time.
type Pipeline struct {
	Name     string             `yaml:"pipeline" doc:"the pipeline's name: consumer group, prefix of its internal topics, label in metrics"`
	Events   string             `yaml:"events" doc:"the stream whose events get a feature vector; default: the first one"`
	Streams  Ordered[Stream]    `yaml:"streams" doc:"what is read: topics, and streams made of other streams"`
	Entities Ordered[Entity]    `yaml:"entities" doc:"what features are about"`
	Features Ordered[[]Group]   `yaml:"features" doc:"per entity, groups of aggregations; the order of entities is the order in which an event visits them"`
	Derived  Ordered[string]    `yaml:"derived" doc:"expressions over the event's fields and the features"`
	Models   Ordered[ModelSpec] `yaml:"models" doc:"online learners"`
	Shards   int                `yaml:"shards" doc:"partitions of the learn stage: each trains a replica of every model on its share of the examples, by event id; default 1. Scorers merge replicas: linear models and naive Bayes are averaged, others vote, weighted by examples"`
	Rules    []Rule             `yaml:"rules" doc:"first match decides the score, whether or not a model is at hand"`
	Drift    []Watch            `yaml:"drift" doc:"what is watched for change"`
	Retrain  *Retrain           `yaml:"retrain" doc:"when a retrain request is sent"`
	Online   *Online            `yaml:"online" doc:"where the newest features of each entity are served from"`
	Topics   Topics             `yaml:"topics" doc:"names and format of the topics that are written"`

	Delivery string   `yaml:"delivery" enum:"exactly_once,at_least_once" doc:"exactly_once (default) or at_least_once"`
	Commit   Duration `yaml:"commit" doc:"time between commits; default 200ms. With exactly_once a hop between stages is visible after one"`
	Idle     Duration `yaml:"idle" doc:"a source partition that is read to its end and silent for this long no longer holds the others back; default 1s"`
	MaxSkew  Duration `yaml:"max_skew" doc:"how far in event time one source partition may be read ahead of the slowest; default 1h"`
	MaxWait  Duration `yaml:"max_wait" doc:"a merge that waited this long for one upstream goes on without it; default 30s"`

	File string  `yaml:"-"` // where it was read from, for messages and for the files that it names
	at   *places // where each value stands in the file; nil when built in code
}

// Ordered is a mapping that keeps the order of the file.
type Ordered[T any] []Named[T]

// Named is one entry of an Ordered, with its place in the file (1-based; 0 when built in code).
type Named[T any] struct {
	Name      string
	V         T
	Line, Col int
}

// Get returns the entry with this name.
func (o Ordered[T]) Get(name string) (*T, bool) {
	for i := range o {
		if o[i].Name == name {
			return &o[i].V, true
		}
	}
	return nil, false
}

// Names lists the names in order.
func (o Ordered[T]) Names() []string {
	out := make([]string, len(o))
	for i := range o {
		out[i] = o[i].Name
	}
	return out
}

// Duration is a length of time written as 30s, 24h, 7d or 2w.
type Duration time.Duration

// Millis returns the duration in milliseconds.
func (d Duration) Millis() int64 { return time.Duration(d).Milliseconds() }

// Stream is one of three things: a topic (or file), the records of another stream known later (of), or a join.
type Stream struct {
	Topic    string   `yaml:"topic" doc:"the Kafka topic; default: the stream's name"`
	Format   string   `yaml:"format" enum:"avro,json" doc:"avro (schema registry wire format, or plain Avro with schema), json; default avro"`
	Schema   string   `yaml:"schema" doc:"an .avsc file relative to the pipeline file: values are plain Avro written with it, without a registry header"`
	ID       string   `yaml:"id" doc:"the field that names an event"`
	Time     string   `yaml:"time" doc:"the field that is the event time"`
	TimeUnit string   `yaml:"time_unit" enum:"s,ms,us,ns" doc:"unit of plain numbers in time fields: s, ms (default), us, ns"`
	Lateness Duration `yaml:"lateness" doc:"an event older than the newest one of its partition by more than this goes to the late topic; default 30s"`
	KeyedBy  string   `yaml:"keyed_by" doc:"the field that the topic's producers key records by; default: the id"`
	FarPast  Duration `yaml:"max_age" doc:"an event time older than this before the newest one is poison; default 3650d"`
	Ahead    Duration `yaml:"max_ahead" doc:"an event time further ahead of the newest one than this is poison (a wrong clock must not move time for all); default 365d"`

	Of    string   `yaml:"of" doc:"this stream is the records of that stream, known later"`
	Delay Duration `yaml:"delay" doc:"with of: known this long after the event"`
	At    string   `yaml:"at" doc:"with of: known at the time in this field (records where it is null are never known)"`
	Where string   `yaml:"where" expr:"yes" doc:"with of: only records for which this holds"`

	Join      string          `yaml:"join" doc:"this stream is the records of that stream, each with its match from with"`
	With      string          `yaml:"with" doc:"with join: the stream that brings the label"`
	On        string          `yaml:"on" doc:"with join: the field both share"`
	Within    Duration        `yaml:"within" doc:"with join: how long to wait for the match; a record without one is emitted then. With at: how long after its event a record may become known (later: never); default 7d"`
	Otherwise Ordered[Scalar] `yaml:"otherwise" doc:"with join: the values of the label's fields where no match came in time"`
}

// Scalar is a number or a string of the file.
type Scalar struct {
	IsStr bool
	Num   float64
	Str   string
}

// Entity is what features are about.
type Entity struct {
	Key   Strings `yaml:"key" doc:"the field, or fields, that name the entity"`
	Exact int     `yaml:"exact" doc:"how many newest events per entity and stream are kept exactly; default 128"`
}

// Strings is a list that may be written as one word.
type Strings []string

// Group is several aggregations over one stream.
type Group struct {
	From           string          `yaml:"from" doc:"the stream that is aggregated"`
	Over           Windows         `yaml:"over" doc:"trailing windows: [1h, 24h], or {label: 1h} to name them yourself"`
	Where          string          `yaml:"where" expr:"yes" doc:"only events for which this holds"`
	Compute        Ordered[string] `yaml:"compute" doc:"name: aggregation(arguments)"`
	ExcludeCurrent bool            `yaml:"exclude_current" doc:"leave the event itself out of its own windows"`
	Empty          *float64        `yaml:"empty" doc:"the value where there is none (a mean over an empty window); default null"`
	Line, Col      int             `yaml:"-"`
}

// Window is a trailing window with the label that ends the feature's name.
type Window struct {
	Label string
	Len   Duration
}

// Windows is a list of durations, or a mapping of labels to durations.
type Windows []Window

// ModelSpec is one model.
type ModelSpec struct {
	Learner      string         `yaml:"learner" doc:"a learner of the registry, with or without parameters: logistic(rate=0.01)"`
	Params       map[string]any `yaml:"-"` // keys that are none of these: parameters of the learner
	Task         string         `yaml:"task" enum:"classification,regression" doc:"what the target is, for learners that do both; default: classification, but regression with a baseline"`
	Classes      int            `yaml:"classes" doc:"classification: the target is a whole number from 0 below this; default 2, where any target above 0 is class 1"`
	Target       string         `yaml:"target" expr:"yes" doc:"an expression over the fields of the label"`
	Baseline     string         `yaml:"baseline" expr:"yes" doc:"regression: an expression over features that is subtracted from the target and added to the prediction"`
	Labels       string         `yaml:"labels" doc:"the stream that brings the target; default: the only stream made by of or join"`
	Features     Strings        `yaml:"features" doc:"columns of the vector that the model sees: features, derived, fields of the event; default: all features and derived"`
	Nominal      Strings        `yaml:"nominal" doc:"numeric columns among features that are categories; string columns always are"`
	Role         string         `yaml:"role" enum:"champion,challenger" doc:"champion (default for the first model of a target) or challenger (default for the others)"`
	Traffic      string         `yaml:"traffic" form:"a share such as 10%" doc:"share of events whose decision is the challenger's, as 10%"`
	Horizon      Duration       `yaml:"horizon" doc:"how long a served vector waits for its label; default: within of the join and its lateness, else 30d"`
	Settle       Duration       `yaml:"settle" doc:"learn no example earlier than this after its event: where one class is known sooner (fraud is reported, its absence is not), both then come in the order of their events"`
	Silence      *float64       `yaml:"silence" doc:"the target where no label came within the horizon; default: the example is dropped"`
	Snapshot     Duration       `yaml:"snapshot" doc:"time between snapshots on the models topic; default 1s"`
	Window       int            `yaml:"window" doc:"examples in the sliding window of the metrics; default 10000"`
	Ready        int            `yaml:"ready" doc:"examples a model learns before its first snapshot is put in force; default 1000. Labels of one class often come first: a model of those alone is worse than none"`
	Threshold    *float64       `yaml:"threshold" doc:"two classes: the prediction's class is 1 from this score on; default: no class is said"`
	MissCost     float64        `yaml:"miss_cost" doc:"instead of threshold: what a missed case costs, in false alarms; the threshold that costs least is followed"`
	AlertsPerDay float64        `yaml:"alerts_per_day" doc:"instead of threshold: the threshold is followed that lets about so many events a day through"`
	Learn        string         `yaml:"learn" expr:"yes" doc:"an expression over the fields of the label: learn only examples for which it holds; default all"`
}

// Rule is a decision that needs no model.
type Rule struct {
	When      string   `yaml:"when" expr:"yes" doc:"a condition over the event's fields and features"`
	Then      Decision `yaml:"then"`
	Line, Col int      `yaml:"-"`
}

// Decision is what a rule says.
type Decision struct {
	Score  float64 `yaml:"score"`
	Reason string  `yaml:"reason"`
}

// Watch is one thing that is watched for drift.
type Watch struct {
	Watch     string         `yaml:"watch" doc:"error(MODEL), prediction(MODEL), label(MODEL), feature(NAME) for one feature with any detector, or features for all by psi"`
	Detector  string         `yaml:"detector" doc:"a detector of the registry: adwin(delta=0.002), or psi for features"`
	Params    map[string]any `yaml:"-"`
	By        string         `yaml:"by" doc:"one detector for each value of this field"`
	Segments  int            `yaml:"segments" doc:"with by: at most this many values; default 64"`
	Reference Duration       `yaml:"reference" doc:"psi: length of the reference window; default 7d"`
	Every     Duration       `yaml:"every" doc:"psi: length of the current window; default 1h"`
	Threshold float64        `yaml:"threshold" doc:"psi: report at this value; default 0.2"`
	Line, Col int            `yaml:"-"`
}

// Retrain is the policy of retrain requests.
type Retrain struct {
	On          Strings  `yaml:"on" doc:"which drifts: drift (any), error, feature, prediction, label"`
	Every       Duration `yaml:"every" doc:"also on a schedule of event time"`
	Cooldown    Duration `yaml:"cooldown" doc:"at least this long between two requests; default 1h"`
	MinExamples int64    `yaml:"min_examples" doc:"at least this many new examples since the last request; default 1000"`
}

// Online is the online store.
type Online struct {
	Store  string   `yaml:"store" enum:"redis,embedded" doc:"redis or embedded"`
	Format string   `yaml:"format" enum:"packed,hash" doc:"packed (default): one value an entity; hash: readable fields"`
	TTL    Duration `yaml:"ttl" doc:"default: the longest window of the entity, and its delay"`
}

// Topics are the names of what is written, and its format.
type Topics struct {
	Format      string `yaml:"format" enum:"avro,json" doc:"avro (default) or json"`
	Features    string `yaml:"features"`
	Predictions string `yaml:"predictions"`
	Drift       string `yaml:"drift"`
	Retrain     string `yaml:"retrain"`
	Models      string `yaml:"models"`
	Late        string `yaml:"late"`
	DeadLetters string `yaml:"dead_letters"`
	Prefix      string `yaml:"prefix" doc:"prefix of these names; default: the pipeline's name and a dot"`
	Partitions  int    `yaml:"partitions" doc:"partitions of topics that freshet makes; default: as many as the events' topic has"`
	Replication int    `yaml:"replication" doc:"replication factor of topics that freshet makes; default: the broker's"`
	Compression string `yaml:"compression" enum:"none,lz4,snappy,zstd" doc:"none (default), lz4, snappy or zstd"`
}
