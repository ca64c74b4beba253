package main

import (
	"context"
	"strings"
	"time"

	"freshet/learners/evaluate"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/kafka"
	"freshet/streams/metrics"
)

const (
	observeEvery = time.Second
	lagEvery     = 10 * time.Second
	backoff      = time.Second
)

func timeIn(d time.Duration) time.Time { return time.Now().Add(d) }

// observe copies counters into metrics once a second, and says when the silent replay is over, until ctx ends.
func (n *node) observe(ctx context.Context) {
	o := &observer{n: n, m: n.metrics, rows: make([]int64, len(n.topo.Stages))}
	defer o.close()
	t := time.NewTicker(observeEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			o.look(ctx, now)
		}
	}
}

type observer struct {
	n       *node
	m       *metrics.Metrics
	rows    []int64 // per stage, at the last look
	at      time.Time
	silent  int64
	commits int64
	micros  int64
	joined  int64
	lagAt   time.Time
	adm     *kafka.Admin
	lagging map[string][]int32
}

func (o *observer) look(ctx context.Context, now time.Time) {
	e := o.n.engine.Load()
	silent := int64(0)
	for i, s := range o.n.topo.Stages {
		st := e.Stats(i)
		silent += st.Silent.Load()
		o.stage(s, st, i, now)
	}
	// A silent replay shows in a counter that moves: two looks at the same number and it is over.
	o.n.status.setLevel(silent == o.silent)
	o.silent = silent
	o.at = now
	o.commit(&e.Commits, now)
	for i, m := range o.n.topo.Models {
		if s := o.n.board.Get(i); s != nil {
			o.m.Model(m.Name).Version.Set(float64(s.Version))
		}
	}
	o.learning(e)
	o.caches(e)
	if o.n.sink != nil {
		o.online(ctx)
	}
	if o.n.store != nil {
		o.m.Stage("all").DiskBytes.Set(float64(o.n.store.Bytes()))
	}
	ready := 0.0
	if ok, _ := o.n.status.ready(); ok {
		ready = 1
	}
	o.m.Process.Ready.Set(ready)
	if now.Sub(o.lagAt) >= lagEvery {
		o.lagAt = now
		o.lag(ctx)
	}
}

func (o *observer) stage(s *streams.Stage, st *streams.StageStats, i int, now time.Time) {
	m := o.m.Stage(s.Name)
	rows := st.Rows.Load()
	m.Rows.SetTotal(uint64(rows))
	m.Late.SetTotal(uint64(st.Late.Load()))
	m.Replayed.SetTotal(uint64(st.Silent.Load()))
	if !o.at.IsZero() {
		m.Rate.Set(float64(rows-o.rows[i]) / now.Sub(o.at).Seconds())
	}
	o.rows[i] = rows
	if p := st.Progress.Load(); p > 0 {
		m.DelaySeconds.Set(float64(now.UnixMilli()-p) / 1000)
	}
	m.MergeBuffered.Set(float64(st.Waiting.Load()))
	m.MergeBehind.SetTotal(uint64(st.Behind.Load()))
	m.MergeForced.SetTotal(uint64(st.Forced.Load()))
	if s.Kind == streams.IngestStage {
		src := o.m.Source(o.n.topo.Streams[s.Stream].Spec.Topic)
		src.Records.SetTotal(uint64(st.Records.Load()))
		src.Bytes.SetTotal(uint64(st.Bytes.Load()))
		src.Rejects.SetTotal(uint64(st.Rejects.Load()))
		for reason, n := range st.Reasons.All() {
			o.m.DeadLetters(o.n.topo.Streams[s.Stream].Spec.Topic, reason).SetTotal(uint64(n))
		}
	}
	if s.Join != nil {
		j := o.m.Join(s.Name)
		j.Pending.Set(float64(st.JoinPending.Load()))
		j.Matched.SetTotal(uint64(st.JoinMatched.Load()))
		j.Expired.SetTotal(uint64(st.JoinExpired.Load()))
		j.Evicted.SetTotal(uint64(st.JoinEvicted.Load()))
	}
	if s.Final {
		t := o.n.topo.Pipeline.Topics
		o.m.Topic(t.Features).Records.SetTotal(uint64(st.Features.Load()))
		o.m.Topic(t.Predictions).Records.SetTotal(uint64(st.Predictions.Load()))
	}
}

// learning shows the learn stage, where its partition is here.
func (o *observer) learning(e *streams.Engine) {
	l, models := e.Learning()
	if l == nil {
		return
	}
	j := o.m.Join("learn")
	j.Pending.Set(float64(l.Waiting.Load()))
	j.Matched.SetTotal(uint64(l.Joined.Load()))
	j.Expired.SetTotal(uint64(l.Expired.Load()))
	j.Evicted.SetTotal(uint64(l.Evicted.Load()))
	j.Foreign.SetTotal(uint64(l.Foreign.Load()))
	if joined := l.Joined.Load(); joined > o.joined {
		j.LabelWaitSeconds.Observe(float64(l.WaitMs.Load()) / 1000) // a sample: the newest one of each look
		o.joined = joined
	}
	t := o.n.topo.Pipeline.Topics
	o.m.Topic(t.Drift).Records.SetTotal(uint64(l.Drifts.Load()))
	o.m.Topic(t.Retrain).Records.SetTotal(uint64(l.Retrains.Load()))
	for kind, n := range l.DriftKinds.All() {
		o.m.DriftEvents(kind, "all").SetTotal(uint64(n))
	}
	for model, n := range l.RetrainModels.All() {
		o.m.RetrainRequests(model).SetTotal(uint64(n))
	}
	for _, q := range models {
		m := o.m.Model(q.Model)
		m.Examples.SetTotal(q.Learned)
		m.Drifts.SetTotal(q.Drifts)
		m.MemoryBytes.Set(float64(q.Bytes))
		if q.Champion != "" && q.Verdict.N > 0 {
			o.m.SetVerdict(q.Model, q.Verdict.Difference, q.Verdict.Better, q.Verdict.P)
		}
		if q.Interval {
			m.Overall.SetIntervals(q.OverallI.Coverage, q.OverallI.Width)
			m.Sliding.SetIntervals(q.SlidingI.Coverage, q.SlidingI.Width)
		}
		if q.Regression {
			m.Overall.SetRegressor(q.OverallE.MAE, q.OverallE.RMSE, q.OverallE.R2)
			m.Sliding.SetRegressor(q.SlidingE.MAE, q.SlidingE.RMSE, q.SlidingE.R2)
			continue
		}
		for _, s := range []struct {
			to   metrics.Quality
			from evaluate.Scores
		}{{m.Overall, q.Overall}, {m.Sliding, q.Sliding}} {
			s.to.SetCalibration(s.from.ECE)
			s.to.SetClassifier(s.from.AUC, s.from.LogLoss, s.from.Accuracy, s.from.Precision, s.from.Recall)
		}
	}
}

// caches sums the tables of the tasks that are here. A sum that falls, since a task went to another process, counts as one that began anew.
func (o *observer) caches(e *streams.Engine) {
	sums := map[string]state.TableStats{}
	for task, t := range e.Tables() {
		stage, _, _ := strings.Cut(task, "/")
		s := sums[stage]
		s.Hits, s.Misses, s.Evictions, s.Entries, s.Bytes = s.Hits+t.Hits, s.Misses+t.Misses, s.Evictions+t.Evictions, s.Entries+t.Entries, s.Bytes+t.Bytes
		sums[stage] = s
	}
	for stage, s := range sums {
		m := o.m.Stage(stage)
		m.CacheHits.SetTotal(s.Hits)
		m.CacheMisses.SetTotal(s.Misses)
		m.CacheEvictions.SetTotal(s.Evictions)
		m.CacheEntries.Set(float64(s.Entries))
		m.CacheBytes.Set(float64(s.Bytes))
	}
}

// commit spreads what was committed since the last look evenly: the engine keeps sums, not every duration.
func (o *observer) commit(c *streams.CommitStats, now time.Time) {
	commits, micros := c.Commits.Load(), c.Sum.Load()
	if d := commits - o.commits; d > 0 {
		each := time.Duration((micros-o.micros)/d) * time.Microsecond
		for range min(d, 1000) {
			o.m.Commit.Done(each, now)
		}
	}
	o.commits, o.micros = commits, micros
	o.m.Commit.Aborts("group").SetTotal(uint64(c.Aborts.Load()))
}

func (o *observer) online(ctx context.Context) {
	s, m := o.n.sink.w.Stats(), &o.m.Online
	m.Writes.SetTotal(s.Written)
	m.Stale.SetTotal(s.Stale)
	m.Coalesced.SetTotal(s.Coalesced)
	m.Retries.SetTotal(s.Retries)
	m.Errors.SetTotal(s.Errors)
	m.Pending.Set(float64(s.Pending))
	m.PendingBytes.Set(float64(s.Bytes))
	m.AgeSeconds.Set(s.OldestAge.Seconds())
	if _, cheap := o.n.online.(interface{ Bytes() int64 }); cheap {
		if c, err := o.n.online.Count(ctx); err == nil {
			m.Entities.Set(float64(c))
		}
	}
}

// lag asks the brokers how far the group's committed offsets are behind, for the partitions that are here.
func (o *observer) lag(ctx context.Context) {
	owned := o.n.status.owned()
	for topic, parts := range o.lagging {
		for _, p := range parts {
			if !contains(owned[topic], p) {
				o.m.Source(topic).DropPartition(p)
			}
		}
	}
	o.lagging = owned
	if len(owned) == 0 {
		return
	}
	if o.adm == nil {
		adm, err := kafka.OpenAdmin(o.n.kafka)
		if err != nil {
			return
		}
		o.adm = adm
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	lags, err := o.adm.Lag(ctx, o.n.group, owned)
	if err != nil {
		return // shown by everything else
	}
	for i, s := range o.n.topo.Stages {
		rt := streams.Runtime{Topo: o.n.topo}
		topic, sum := rt.LogTopic(i), int64(0)
		for _, p := range owned[topic] {
			lag := lags[streams.Partition{Topic: topic, Num: p}]
			sum += lag
			if s.Kind == streams.IngestStage {
				o.m.Source(topic).Lag(p).Set(float64(lag))
			}
		}
		o.m.Stage(s.Name).Lag.Set(float64(sum))
		o.m.Stage(s.Name).Tasks.Set(float64(len(owned[topic])))
	}
}

func contains(list []int32, v int32) bool {
	for _, x := range list {
		if x == v {
			return true
		}
	}
	return false
}

func (o *observer) close() {
	if o.adm != nil {
		o.adm.Close()
	}
}
