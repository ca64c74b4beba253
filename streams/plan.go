package streams

import (
	"fmt"
	"time"
)

// Plan is what `freshet plan` shows: a topology in words. Its JSON form is for programs.
type Plan struct {
	Pipeline    string       `json:"pipeline"`
	Fingerprint string       `json:"fingerprint"` // of the vector's names and kinds, hexadecimal
	Events      string       `json:"events"`
	Delivery    string       `json:"delivery"`
	Stages      []PlanStage  `json:"stages"`
	Topics      []PlanTopic  `json:"topics"`
	Entities    []PlanEntity `json:"entities"`
	Windows     []PlanWindow `json:"windows"`
	Vector      []PlanColumn `json:"vector"`
	Models      []PlanModel  `json:"models"`
	Watches     []PlanWatch  `json:"drift"`
}

// PlanStage is one stage and what reaches it.
type PlanStage struct {
	Name       string      `json:"name"`
	Kind       string      `json:"kind"` // ingest, join, entity, learn
	Log        string      `json:"log"`  // the topic that it folds
	Partitions string      `json:"partitions"`
	Entity     string      `json:"entity,omitempty"` // of an ingest stage: the first entity is part of it
	Key        []string    `json:"key,omitempty"`
	Final      bool        `json:"final,omitempty"` // features and predictions go out here
	Inputs     []PlanInput `json:"inputs,omitempty"`
}

// PlanInput is what travels to a stage along one edge.
type PlanInput struct {
	Stream  string   `json:"stream"`
	From    string   `json:"from"`
	Kind    string   `json:"kind"` // rows, served, labels
	Rank    int      `json:"rank"`
	Key     []string `json:"key,omitempty"`
	Columns []string `json:"columns"` // name:kind
}

// PlanTopic is a topic that is read or written.
type PlanTopic struct {
	Name       string   `json:"name"`
	Role       string   `json:"role"` // source, internal, output
	Key        string   `json:"key"`
	Partitions string   `json:"partitions"`
	Schema     string   `json:"schema"`
	Fields     []string `json:"fields,omitempty"` // source: those that are decoded, name:kind, "!" where null is refused
}

// PlanEntity is one entity.
type PlanEntity struct {
	Name       string   `json:"name"`
	Key        []string `json:"key"`
	Features   int      `json:"features"`
	Exact      int      `json:"exact_events"`
	TTL        string   `json:"ttl"`
	BytesEmpty int64    `json:"bytes_few_events"`
	BytesFull  int64    `json:"bytes_full"`
}

// PlanWindow is one window of one entity over one stream.
type PlanWindow struct {
	Entity     string `json:"entity"`
	Stream     string `json:"stream"`
	Window     string `json:"window"`
	ExactUpTo  int    `json:"exact_up_to_events"`
	ErrorBound string `json:"error_bound"` // beyond that many: how far from the window's edge an event may be miscounted
}

// PlanColumn is one column of the vector.
type PlanColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Doc  string `json:"doc"`
}

// PlanModel is one model.
type PlanModel struct {
	Name    string   `json:"name"`
	Learner string   `json:"learner"` // with the parameters that are not defaults
	Role    string   `json:"role"`
	Traffic float64  `json:"traffic,omitempty"`
	Target  string   `json:"target"`
	Labels  string   `json:"labels"`
	Horizon string   `json:"horizon"`
	Columns []string `json:"columns"` // "*" behind categories
}

// PlanWatch is one drift watch.
type PlanWatch struct {
	Watch    string `json:"watch"`
	Detector string `json:"detector"`
	By       string `json:"by,omitempty"`
}

// Describe puts a topology into words.
func (t *Topology) Describe() *Plan {
	p := &Plan{Pipeline: t.Pipeline.Name, Fingerprint: fmt.Sprintf("%016x", t.Fingerprint), Events: t.Streams[t.Events].Name, Delivery: t.Pipeline.Delivery}
	for _, s := range t.Stages {
		p.Stages = append(p.Stages, t.describeStage(s))
		if s.Entity != nil {
			p.describeEntity(t, s.Entity)
		}
	}
	p.describeTopics(t)
	for _, v := range t.Vector {
		p.Vector = append(p.Vector, PlanColumn{v.Name, v.Type, v.Doc})
	}
	for _, m := range t.Models {
		p.Models = append(p.Models, t.describeModel(m))
	}
	for _, w := range t.Watches {
		d := w.Spec.Detector
		if w.What != "feature" {
			if spec, err := parseDetector(w.Spec); err == nil {
				d = spec.String()
			}
		} else {
			d = fmt.Sprintf("%s of %s against %s, threshold %v", d, w.Spec.Every, w.Spec.Reference, w.Spec.Threshold)
		}
		p.Watches = append(p.Watches, PlanWatch{w.Spec.Watch, d, w.Spec.By})
	}
	return p
}

func (t *Topology) describeStage(s *Stage) PlanStage {
	d := PlanStage{Name: s.Name, Kind: [...]string{"ingest", "join", "entity", "learn"}[s.Kind], Final: s.Final, Log: t.logOf(s), Partitions: t.partitionsOf(s)}
	if s.Entity != nil {
		d.Entity, d.Key = s.Entity.Name, s.Entity.Key
	}
	if s.Join != nil {
		d.Key = []string{t.Streams[s.Stream].Spec.On}
	}
	for i := range s.Inputs {
		in := &s.Inputs[i]
		pi := PlanInput{Stream: t.Streams[in.Stream].Name, From: t.Stages[in.From].Name, Rank: in.Rank, Kind: [...]string{"rows", "served", "labels"}[in.EdgeKind]}
		if in.Label {
			pi.Kind = "labels"
		}
		for _, c := range in.Wire.Cols {
			pi.Columns = append(pi.Columns, c.Name+":"+c.Kind.String())
		}
		pi.Key = d.Key
		d.Inputs = append(d.Inputs, pi)
	}
	return d
}

func (t *Topology) logOf(s *Stage) string {
	if s.Kind == IngestStage {
		return t.Streams[s.Stream].Spec.Topic
	}
	return t.Pipeline.Name + "." + s.Name + ".in"
}

func (t *Topology) partitionsOf(s *Stage) string {
	switch {
	case s.Kind == IngestStage:
		return "as source"
	case s.Kind == LearnStage:
		return fmt.Sprint(t.Pipeline.Shards)
	case t.Pipeline.Topics.Partitions > 0:
		return fmt.Sprint(t.Pipeline.Topics.Partitions)
	}
	return "as " + t.Streams[t.Events].Spec.Topic
}

func (p *Plan) describeEntity(t *Topology, e *EntityPlan) {
	spec, _ := t.Pipeline.Entities.Get(e.Name)
	few, full := e.Plan.EstimateBytes()
	ttl := Duration(time.Duration(e.MaxMs) * time.Millisecond)
	if o := t.Pipeline.Online; o != nil && o.TTL > 0 {
		ttl = o.TTL
	}
	p.Entities = append(p.Entities, PlanEntity{e.Name, e.Key, len(e.Names), spec.Exact, ttl.String(), few, full})
	groups, _ := t.Pipeline.Features.Get(e.Name)
	for i, s := range e.Streams {
		seen := map[Duration]bool{}
		name := t.Streams[s.Stream].Name
		for _, g := range *groups {
			if g.From != name {
				continue
			}
			for _, w := range g.Over {
				if !seen[w.Len] {
					seen[w.Len] = true
					bound := e.Plan.ErrorBound(i, time.Duration(w.Len))
					p.Windows = append(p.Windows, PlanWindow{e.Name, name, w.Len.String(), spec.Exact, bound.String()})
				}
			}
		}
	}
}

func (p *Plan) describeTopics(t *Topology) {
	add := func(name, role, key, partitions, schema string, fields []string) {
		p.Topics = append(p.Topics, PlanTopic{name, role, key, partitions, schema, fields})
	}
	for _, s := range t.Stages {
		if s.Kind != IngestStage {
			continue
		}
		st := t.Streams[s.Stream]
		schema := "avro, from the registry"
		switch {
		case st.Spec.Schema != "":
			schema = "plain avro, " + st.Spec.Schema
		case st.Spec.Format == "json":
			schema = "json"
		}
		var fields []string
		for _, c := range st.Wire.Cols {
			f := c.Name + ":" + c.Kind.String()
			if c.Required {
				f += "!"
			}
			fields = append(fields, f)
		}
		add(st.Spec.Topic, "source", st.Spec.KeyedBy, "as source", schema, fields)
	}
	for i, s := range p.Stages {
		if t.Stages[i].Kind == IngestStage {
			continue
		}
		key := "none"
		for _, k := range s.Key {
			if key == "none" {
				key = k
			} else {
				key += ", " + k
			}
		}
		add(s.Log, "internal", key, s.Partitions, "columnar batches", nil)
	}
	id := t.Streams[t.Events].Spec.ID
	first := id
	for _, s := range t.Stages {
		if s.Entity != nil {
			first = fmt.Sprint(s.Entity.Key)
			if len(s.Entity.Key) == 1 {
				first = s.Entity.Key[0]
			}
			break
		}
	}
	out, form := t.Pipeline.Topics, t.Pipeline.Topics.Format
	partitions := "as " + t.Streams[t.Events].Spec.Topic
	if out.Partitions > 0 {
		partitions = fmt.Sprint(out.Partitions)
	}
	output := func(name, key, parts, schema string) { add(name, "output", key, parts, form+", "+schema, nil) }
	output(out.Features, first, partitions, "generated: id, time, keys, features")
	if len(t.Models)+len(t.Rules) > 0 {
		output(out.Predictions, id, partitions, "prediction.avsc")
	}
	if len(t.Watches) > 0 {
		output(out.Drift, "series", partitions, "drift.avsc")
	}
	if t.Pipeline.Retrain != nil {
		output(out.Retrain, "model", partitions, "retrain.avsc")
	}
	if len(t.Models) > 0 {
		output(out.Models, "model", "compacted", "model.avsc")
	}
	output(out.Late, id, partitions, "late.avsc")
	output(out.DeadLetters, "topic, partition, offset", partitions, "dead_letter.avsc")
}

func (t *Topology) describeModel(m *ModelPlan) PlanModel {
	d := PlanModel{Name: m.Name, Learner: m.Spec.Learner, Role: m.Spec.Role, Traffic: m.Traffic, Target: m.Spec.Target, Labels: t.Streams[m.Labels].Name,
		Horizon: Duration(time.Duration(m.HorizonMs) * time.Millisecond).String()}
	if spec, err := parseLearner(m.Spec); err == nil {
		d.Learner = spec.String()
	}
	for i, c := range m.Cols {
		name := c.Name
		if index2(m.Nominal, i) >= 0 {
			name += "*"
		}
		d.Columns = append(d.Columns, name)
	}
	return d
}
