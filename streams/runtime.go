package streams

// Names of the logs and topics.

// InternalTopic is the log of a stage that reads no source itself.
func (rt *Runtime) InternalTopic(stage int) string {
	return rt.Topo.Pipeline.Name + "." + rt.Topo.Stages[stage].Name + ".in"
}

// LogTopic is the topic of a stage's log.
func (rt *Runtime) LogTopic(stage int) string {
	if s := rt.Topo.Stages[stage]; s.Kind == IngestStage {
		return rt.Topo.Streams[s.Stream].Spec.Topic
	}
	return rt.InternalTopic(stage)
}

// Resolve gives every topic that is written its name.
func (t Topics) Resolve(pipeline string) Topics {
	if t.Prefix == "" {
		t.Prefix = pipeline + "."
	}
	name := func(p *string, base string) {
		if *p == "" {
			*p = t.Prefix + base
		}
	}
	name(&t.Features, "features")
	name(&t.Predictions, "predictions")
	name(&t.Drift, "drift")
	name(&t.Retrain, "retrain")
	name(&t.Models, "models")
	name(&t.Late, "late")
	name(&t.DeadLetters, "dead-letters")
	return t
}

// defaults fills the zero values.
func (rt *Runtime) defaults() {
	if rt.CacheBytes <= 0 {
		rt.CacheBytes = 32 << 20
	}
	if rt.MaxString <= 0 {
		rt.MaxString = 4096
	}
	if rt.MaxCarry <= 0 {
		rt.MaxCarry = 11 << 20
	}
	if rt.Origin == "" {
		rt.Origin = rt.Topo.Pipeline.Name
	}
	if rt.MaxPending <= 0 {
		rt.MaxPending = 2_000_000
	}
}
