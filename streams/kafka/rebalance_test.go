package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"freshet/streams"
	"freshet/streams/simulate"
)

// emptyBench is a broker with topics but no events yet, and the events, in the order of their arrival.
func emptyBench(t *testing.T, pipeline string, events, parts, days int) (*bench, *kfake.Cluster, []*kgo.Record) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(int32(parts), "transactions", "chargebacks"), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p, err := streams.Parse("test.yaml", []byte(pipeline))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, addrs: c.ListenAddrs(), topo: topo, days: days}
	var recs []*kgo.Record
	g := simulate.New(b.sim(events))
	var ev simulate.Event
	for g.Next(&ev) {
		r := &kgo.Record{Topic: "transactions", Key: bytes.Clone(ev.Tx.CardID), Value: ev.AppendJSON(nil)}
		if ev.Kind == simulate.KindChargeback {
			r.Topic, r.Key = "chargebacks", bytes.Clone(ev.Chargeback.TxID)
		} else {
			b.n++
		}
		recs = append(recs, r)
	}
	return b, c, recs
}

func (b *bench) feed(recs []*kgo.Record, o ...kgo.Opt) {
	b.t.Helper()
	cl := b.client(o...)
	defer cl.Close()
	if err := cl.ProduceSync(context.Background(), recs...).FirstErr(); err != nil {
		b.t.Error(err)
	}
}

// feeder writes events little by little until all are there; rebalances happen meanwhile.
type feeder struct {
	left atomic.Int64
	hold atomic.Bool
	done chan struct{}
}

func (b *bench) feedSlowly(recs []*kgo.Record, chunks int, hold bool) *feeder {
	f := &feeder{done: make(chan struct{})}
	f.hold.Store(hold)
	f.left.Store(int64(len(recs)))
	go func() {
		defer close(f.done)
		cl := b.client()
		defer cl.Close()
		n := (len(recs) + chunks - 1) / chunks
		for len(recs) > 0 {
			for f.hold.Load() {
				time.Sleep(5 * time.Millisecond)
			}
			n = min(n, len(recs))
			if err := cl.ProduceSync(context.Background(), recs[:n]...).FirstErr(); err != nil {
				b.t.Error(err)
			}
			recs = recs[n:]
			f.left.Store(int64(len(recs)))
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return f
}

// more says that a partition that is silent now will have more: it must not be taken for idle.
func (f *feeder) more() bool { return f.left.Load() > 0 }

// member is one process of the group.
type member struct {
	b      *bench
	name   string
	fs     *vfs.MemFS
	rt     *streams.Runtime
	e      *streams.Engine
	cancel context.CancelFunc
	done   chan error
	dead   atomic.Bool
	step   func(string) error

	mu       sync.Mutex
	owns     map[streams.Partition]bool
	assigned int // calls
	lost     int // partitions
}

// memberOwner notes what the group says to a member.
type memberOwner struct {
	streams.Owner
	m *member
}

func (o memberOwner) Assigned(parts map[streams.Partition]streams.Committed) (map[streams.Partition]int64, error) {
	from, err := o.Owner.Assigned(parts)
	o.m.mu.Lock()
	defer o.m.mu.Unlock()
	o.m.assigned++
	for p := range parts {
		o.m.owns[p] = true
	}
	return from, err
}

func (o memberOwner) Lost(parts []streams.Partition) {
	o.m.mu.Lock()
	o.m.lost += len(parts)
	for _, p := range parts {
		delete(o.m.owns, p)
	}
	o.m.mu.Unlock()
	o.Owner.Lost(parts)
}

type memberOptions struct {
	fs      *vfs.MemFS
	hold    func() bool
	step    func(string) error
	session time.Duration
	extra   []kgo.Opt
	plain   bool // at least once
}

// join starts a process.
func (b *bench) join(name string, o memberOptions) *member {
	b.t.Helper()
	m := &member{b: b, name: name, fs: o.fs, done: make(chan error, 1), step: o.step, owns: map[streams.Partition]bool{}}
	if m.fs == nil {
		m.fs = vfs.NewCrashableMem()
	}
	m.rt = b.runtime(m.fs)
	m.e = streams.NewEngine(m.rt, streams.EngineOptions{MaxPoll: 500, Workers: 2, HoldIdle: o.hold, Step: func(point string) error {
		if m.step != nil {
			if err := m.step(point); err != nil {
				return err
			}
		}
		if m.dead.Load() {
			return errKilled
		}
		return nil
	}})
	if o.session == 0 {
		o.session = 6 * time.Second
	}
	c, err := Open(Options{Brokers: b.addrs, Group: m.rt.Topo.Pipeline.Name, Instance: name, Topics: m.e.Topics(), Session: o.session, Heartbeat: 50 * time.Millisecond, AtLeastOnce: o.plain, Extra: o.extra}, memberOwner{m.e, m})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	b.t.Cleanup(cancel)
	go func() { m.done <- m.e.Run(ctx, dying{c, m}) }()
	return m
}

// dying closes like a killed process where its member is one.
type dying struct {
	*Client
	m *member
}

func (d dying) Close() {
	if d.m.dead.Load() {
		d.Kill()
		return
	}
	d.Client.Close()
}

// stop ends a process the clean way.
func (m *member) stop() {
	m.b.t.Helper()
	m.cancel()
	if err := m.end(); err != nil {
		m.b.t.Fatalf("%s: %v", m.name, err)
	}
	if err := m.rt.Store.Close(); err != nil {
		m.b.t.Fatal(err)
	}
}

// kill ends a process between two steps of a commit: it neither leaves the group nor ends its transaction. What its disk holds then is
// what the next process of its name finds.
func (m *member) kill() *vfs.MemFS {
	m.b.t.Helper()
	m.dead.Store(true)
	if err := m.end(); !errors.Is(err, errKilled) {
		m.b.t.Fatalf("%s: %v", m.name, err)
	}
	return m.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
}

func (m *member) end() error {
	m.b.t.Helper()
	select {
	case err := <-m.done:
		return err
	case <-time.After(30 * time.Second):
		stacks := make([]byte, 1<<20)
		m.b.t.Fatalf("%s does not end: %s\n%s", m.name, m, stacks[:runtime.Stack(stacks, true)])
		return nil
	}
}

// until waits for a condition; an engine that ends meanwhile is a failure.
func (b *bench) until(what string, cond func() bool, running ...*member) {
	b.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		for _, m := range running {
			select {
			case err := <-m.done:
				b.t.Fatalf("waiting for %s: %s ended: %v", what, m.name, err)
			default:
			}
		}
		if time.Now().After(deadline) {
			for _, m := range running {
				b.t.Logf("%s: %s", m.name, m)
			}
			b.t.Fatalf("still waiting for %s", what)
		}
	}
}

func (m *member) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := fmt.Sprintf("%d commits, %d aborts, owns %d", m.e.Commits.Commits.Load(), m.e.Commits.Aborts.Load(), len(m.owns))
	for i, st := range m.rt.Topo.Stages {
		x := m.e.Stats(i)
		s += fmt.Sprintf("; %s: %d rows, %d silent, %d behind, %d forced, %d waiting", st.Name, x.Rows.Load(), x.Silent.Load(), x.Behind.Load(), x.Forced.Load(), x.Waiting.Load())
	}
	return s
}

func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.owns)
}

func (m *member) commits(n int64) func() bool {
	from := m.e.Commits.Commits.Load()
	return func() bool { return m.e.Commits.Commits.Load() >= from+n }
}

// sum adds up a counter of all stages of some members.
func sum(f func(*streams.StageStats) int64, members ...*member) (n int64) {
	for _, m := range members {
		for i := range m.rt.Topo.Stages {
			n += f(m.e.Stats(i))
		}
	}
	return n
}

// follow counts what readers see of a topic, as it comes.
func (b *bench) follow(topic string) *atomic.Int64 {
	var n atomic.Int64
	cl := b.client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	b.t.Cleanup(func() { cancel(); <-done; cl.Close() })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			n.Add(int64(cl.PollFetches(ctx).NumRecords()))
		}
	}()
	return &n
}

// TestRebalance: two processes share a pipeline. The second joins while the first runs, the first is killed and, when the group has given
// up on it, comes back with the state that it had; then the second leaves. Every event has its features exactly once, and they
// are those of history.
func TestRebalance(t *testing.T) {
	t.Parallel()
	const events = 8_000
	b, _, recs := emptyBench(t, testPipeline, events, 6, 0)
	all := len(b.topo.Stages)*6 - 5 // the learn stage has one partition
	f := b.feedSlowly(recs, 80, false)
	short := memberOptions{hold: f.more, session: 900 * time.Millisecond}
	one := b.join("one", short)
	seen := b.follow("p.features")
	b.until("the first", func() bool { return one.count() == all && seen.Load() > 0 }, one)
	two := b.join("two", short)
	b.until("the second's share", func() bool { return two.count() >= all/3 && one.count()+two.count() == all }, one, two)
	b.until("commits of both", two.commits(3), one, two)
	short.fs = one.kill()
	b.until("all partitions at the second", func() bool { return two.count() == all }, two)
	b.until("commits", two.commits(3), two)
	back := b.join("one", short)
	b.until("the first's share again", func() bool { return back.count() >= all/3 && back.count()+two.count() == all }, back, two)
	b.until("commits of both again", back.commits(3), back, two)
	two.stop()
	b.until("all events", func() bool { return !f.more() && seen.Load() >= int64(b.n) && back.e.Quiet() }, back)
	back.stop()
	b.compare(b.history(events))
	aborts := one.e.Commits.Aborts.Load() + two.e.Commits.Aborts.Load() + back.e.Commits.Aborts.Load()
	silent := sum(func(s *streams.StageStats) int64 { return s.Silent.Load() }, two, back)
	t.Logf("%d aborts, %d records folded silently", aborts, silent)
	if aborts == 0 {
		t.Error("no transaction was aborted")
	}
	if silent == 0 {
		t.Error("nothing was folded silently")
	}
	if n := sum(func(s *streams.StageStats) int64 { return s.Behind.Load() + s.Forced.Load() }, one, two, back); n > 0 {
		t.Errorf("%d rows came behind or merges were forced", n)
	}
}

// TestStaticRestart: a killed process that comes back under its name within the session gets its partitions back, and the other one is
// not even told.
func TestStaticRestart(t *testing.T) {
	t.Parallel()
	const events = 4_000
	b, _, recs := emptyBench(t, testPipeline, events, 4, 0)
	all := len(b.topo.Stages)*4 - 3
	f := b.feedSlowly(recs, 60, true)
	one, two := b.join("one", memberOptions{hold: f.more}), b.join("two", memberOptions{hold: f.more})
	seen := b.follow("p.features")
	b.until("both shares", func() bool { return one.count()+two.count() == all && two.count() >= all/3 && one.count() >= all/3 }, one, two)
	f.hold.Store(false)
	b.until("commits of both", two.commits(2), one, two)
	two.mu.Lock()
	told := two.assigned + two.lost
	two.mu.Unlock()
	owned := one.count()
	back := b.join("one", memberOptions{hold: f.more, fs: one.kill()})
	b.until("all events", func() bool { return !f.more() && seen.Load() >= int64(b.n) && back.e.Quiet() && two.e.Quiet() }, back, two)
	two.mu.Lock()
	if two.assigned+two.lost != told || back.count() != owned {
		t.Errorf("the group was rebalanced: %d partitions before the restart, %d after", owned, back.count())
	}
	two.mu.Unlock()
	back.stop()
	two.stop()
	b.compare(b.history(events))
}

// TestLossWhileCommitting: the group changes twice while a process hangs in a commit; the transaction session announces only the first of
// two losses. The process must let go of all that is no longer its own, or its tasks would hold back the others for ever.
func TestLossWhileCommitting(t *testing.T) {
	t.Parallel()
	const events = 4_000
	b, _, recs := emptyBench(t, testPipeline, events, 6, 0)
	all := len(b.topo.Stages)*6 - 5
	f := b.feedSlowly(recs, 60, false)
	var hang atomic.Bool
	one := b.join("one", memberOptions{hold: f.more, step: func(point string) error {
		for point == "publish" && hang.Load() {
			time.Sleep(5 * time.Millisecond)
		}
		return nil
	}})
	seen := b.follow("p.features")
	b.until("the first", func() bool { return one.count() == all && seen.Load() > 0 }, one)
	hang.Store(true)
	two := b.join("two", memberOptions{hold: f.more})
	b.until("the second's share", func() bool { return two.count() >= all/3 }, one, two)
	three := b.join("three", memberOptions{hold: f.more})
	b.until("the third's share", func() bool { return three.count() >= all/4 }, one, two, three)
	told := one.count()
	hang.Store(false)
	b.until("the first to let go", func() bool { return one.count()+two.count()+three.count() == all }, one, two, three)
	b.until("all events", func() bool {
		return !f.more() && seen.Load() >= int64(b.n) && one.e.Quiet() && two.e.Quiet() && three.e.Quiet()
	}, one, two, three)
	t.Logf("the first still had %d partitions of %d when it went on, and ended with %d", told, all, one.count())
	for _, m := range []*member{one, two, three} {
		m.stop()
	}
	b.compare(b.history(events))
	if one.e.Commits.Aborts.Load() == 0 {
		t.Error("no transaction was aborted")
	}
}

// TestAtLeastOnceRebalance: without transactions rows may be written twice, with the same bytes; readers that know an id find the same.
func TestAtLeastOnceRebalance(t *testing.T) {
	t.Parallel()
	const events = 4_000
	b, _, recs := emptyBench(t, testPipeline, events, 4, 0)
	all := len(b.topo.Stages)*4 - 3
	f := b.feedSlowly(recs, 40, false)
	o := memberOptions{hold: f.more, session: 900 * time.Millisecond, plain: true}
	one := b.join("one", o)
	seen := b.follow("p.features")
	b.until("the first", func() bool { return one.count() == all && seen.Load() > 0 }, one)
	two := b.join("two", o)
	b.until("the second's share", func() bool { return two.count() >= all/3 && one.count()+two.count() == all }, one, two)
	b.until("commits", two.commits(2), one, two)
	one.kill()
	b.until("all events", func() bool { return !f.more() && two.count() == all && seen.Load() >= int64(b.n) && two.e.Quiet() }, two)
	two.stop()
	lines := b.topic("p.features")
	once := slices.Compact(slices.Clone(lines))
	t.Logf("%d records, %d different ones", len(lines), len(once))
	b.compareWith(once, b.history(events))
}

const waitPipeline = testPipeline + "max_wait: 300ms\n"

// TestForced: a process is gone, and the group waits for it for longer than max_wait. Merges go on without its rows: this is counted, it
// stands in the log, and who folds the log again gets the same rows.
func TestForced(t *testing.T) {
	t.Parallel()
	const events = 3_000
	b, _, recs := emptyBench(t, waitPipeline, events, 4, 0)
	all := len(b.topo.Stages)*4 - 3
	f := b.feedSlowly(recs, 60, true)
	var gone atomic.Bool
	hold := func() bool { return !gone.Load() } // before, it is the feeder that is slow, and nobody is to be passed over
	one, two := b.join("one", memberOptions{hold: hold, session: 20 * time.Second}), b.join("two", memberOptions{hold: hold, session: 20 * time.Second})
	seen := b.follow("p.features")
	b.until("both shares", func() bool { return one.count()+two.count() == all && two.count() >= all/3 && one.count() >= all/3 }, one, two)
	f.hold.Store(false)
	b.until("commits of both", two.commits(2), one, two)
	f.hold.Store(true)
	fs := two.kill()
	forced := func(m *member) int64 {
		return sum(func(s *streams.StageStats) int64 { return s.Forced.Load() }, m)
	}
	f.hold.Store(false)
	gone.Store(true)
	b.until("merges that go on", func() bool { return forced(one) > 0 }, one)
	back := b.join("two", memberOptions{fs: fs, session: 20 * time.Second})
	b.until("all events", func() bool { return !f.more() && seen.Load() >= int64(b.n) && one.e.Quiet() && back.e.Quiet() }, one, back)
	t.Logf("%d passed over, %d rows behind", forced(one)+forced(back), sum(func(s *streams.StageStats) int64 { return s.Behind.Load() }, one, back))
	one.stop()
	back.stop()
	b.replayed()
}

// replayed folds the final stage's log again, on a new state, and compares what comes out with the features topic.
func (b *bench) replayed() {
	b.t.Helper()
	final := slices.IndexFunc(b.topo.Stages, func(s *streams.Stage) bool { return s.Final })
	rt := b.runtime(vfs.NewMem())
	defer rt.Store.Close()
	logs := make([][]streams.Record, rt.Parts[final])
	for _, r := range b.read(rt.LogTopic(final)) {
		logs[r.Partition] = append(logs[r.Partition], streams.Record{Offset: r.Offset, Control: r.Attrs.IsControl(), Value: r.Value})
	}
	var got []string
	stats := &streams.StageStats{}
	for p, log := range logs {
		task, err := streams.OpenTask(rt, final, p, 0, -1, stats, func(topic string, _ int32, key, value []byte) {
			if topic == rt.Names.Features {
				got = append(got, string(key)+" "+string(value))
			}
		})
		if err != nil {
			b.t.Fatal(err)
		}
		for len(log) > 0 { // in other steps than live
			n := min(len(log), 3)
			if err := task.Fold(log[:n]); err != nil {
				b.t.Fatal(err)
			}
			log = log[n:]
		}
		if err := task.Close(); err != nil {
			b.t.Fatal(err)
		}
	}
	want := b.topic(rt.Names.Features)
	for i := range want {
		_, want[i], _ = strings.Cut(want[i], " ")
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) != b.n || !slices.Equal(got, want) {
		b.t.Errorf("the log folded again gives %d records of features, live gave %d for %d events; they must be the same", len(got), len(want), b.n)
	}
	if stats.Forced.Load() == 0 {
		b.t.Error("nobody was passed over in the log")
	}
}

// TestIdlePartition: a source partition that never has data does not hold the others back, and neither is anybody passed over for it; what
// comes from it later is folded, behind the others, and counted.
func TestIdlePartition(t *testing.T) {
	t.Parallel()
	const events = 1_000
	b, _, recs := emptyBench(t, testPipeline, events, 4, 0)
	for i, r := range recs { // nothing in partition 3 of either topic
		r.Partition = int32(i % 3)
		if r.Topic == "transactions" {
			r.Partition = int32(r.Key[len(r.Key)-1]) % 3
		}
	}
	early := slices.IndexFunc(recs, func(r *kgo.Record) bool { return r.Topic == "transactions" })
	held := recs[early]
	recs = slices.Delete(slices.Clone(recs), early, early+1)
	b.feed(recs, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	one := b.join("one", memberOptions{})
	seen := b.follow("p.features")
	b.until("all events but one", func() bool { return seen.Load() == int64(b.n-1) && one.e.Quiet() }, one)
	if n := sum(func(s *streams.StageStats) int64 { return s.Behind.Load() + s.Forced.Load() }, one); n != 0 {
		t.Errorf("%d rows behind or merges forced before anything came late", n)
	}
	held.Partition = 3
	b.feed([]*kgo.Record{held}, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	b.until("the last one", func() bool { return seen.Load() == int64(b.n) && one.e.Quiet() }, one)
	if n := sum(func(s *streams.StageStats) int64 { return s.Behind.Load() }, one); n == 0 {
		t.Error("the row of the partition that woke up days behind was not counted as behind")
	}
	one.stop()
	if got := b.topic("p.features"); len(got) != b.n {
		t.Errorf("%d records on the features topic, %d events", len(got), b.n)
	}
}

// TestStopWhileJoining: a process that is told to stop while the group makes it wait for the others stops all the same.
func TestStopWhileJoining(t *testing.T) {
	t.Parallel()
	b, c, _ := emptyBench(t, testPipeline, 10, 2, 0)
	release, joining := make(chan struct{}), make(chan struct{}, 100)
	t.Cleanup(func() { close(release) })
	c.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		joining <- struct{}{}
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	one := b.join("one", memberOptions{})
	b.until("it to join", func() bool { return len(joining) > 0 }, one)
	one.stop()
}
