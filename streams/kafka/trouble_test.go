package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"freshet/schemas/events"
	"freshet/schemas/registry"
	"freshet/state"
	"freshet/streams"
)

// TestRegistryAway: a record of a schema that is not known yet, while the registry does not answer, is nobody's fault. Its partition waits,
// the other goes on, nothing is dead-lettered, the process neither ends nor moves past the record, also not by a restart; and goes on
// when the registry is back.
func TestRegistryAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, "avro")
	r.topo.Pipeline.MaxWait = streams.Duration(time.Second)
	fs := vfs.NewMem()
	r.produce(r.send(0, 100)...)
	p := r.start(state.Options{FS: fs}, nil)
	p.quiet() // schema 1 is known now
	forced := func(s *streams.StageStats) *atomic.Int64 { return &s.Forced }
	before := p.total(forced)
	r.away.Store(true)
	recs := r.send(100, 200)
	stuck := 0
	for _, rec := range recs[50:] {
		if rec.Partition == 1 {
			stuck++
			rec.Value[4] = 2 // the newer schema
			rec.Value = append(rec.Value, 0)
		}
	}
	r.produce(recs...)
	p.until("the partition to wait", func() bool { return p.total(retries) >= 3 && p.total(held) == 1 })
	// Before it, and beside it, everything is folded.
	ingest := p.e.Stats(0)
	p.until("the others", func() bool { return ingest.Rows.Load() == int64(200-stuck) })
	tr := p.e.Troubles()
	if len(tr) != 1 || tr[0].Topic != "tx" || tr[0].Num != 1 || !errors.Is(tr[0].Err, streams.ErrTransient) || !errors.Is(tr[0].Err, registry.ErrTransient) || !strings.Contains(tr[0].Err.Error(), fmt.Sprintf("tx/1 offset %d", tr[0].Offset)) {
		t.Fatalf("%+v", tr)
	}
	// A partition that waits is not one that is silent: the merge behind it does not go on without it, however long that takes.
	p.until("max_wait to pass", func() bool { return time.Since(tr[0].Since) > 1500*time.Millisecond })
	if n := p.total(forced); n != before {
		t.Errorf("the merge was forced %d times", n-before)
	}
	p.stop() // while it waits: a clean stop
	if n := p.total(held); n != 0 {
		t.Errorf("%d tasks wait after the end", n)
	}
	p = r.start(state.Options{FS: fs}, nil) // and a start without a registry
	p.until("both partitions to wait", func() bool { return p.total(held) >= 1 && p.total(retries) >= 3 })
	if n := p.total(func(s *streams.StageStats) *atomic.Int64 { return &s.Rejects }); n != 0 {
		t.Errorf("%d records rejected", n)
	}
	asked := r.asked.Load()
	r.away.Store(false)
	p.quiet()
	r.produce(r.probe(200)...)
	p.quiet()
	p.stop()
	if r.asked.Load() == asked {
		t.Error("the registry was not asked again")
	}
	if tr := p.e.Troubles(); len(tr) != 0 || p.total(held) != 0 {
		t.Errorf("still in trouble: %v", tr)
	}
	if d := r.letters(); len(d) != 0 {
		t.Errorf("dead letters: %v", d)
	}
	r.compare()
}

// TestMissingTopic names the topics that are not there.
func TestMissingTopic(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "chargebacks"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := streams.Parse("test.yaml", []byte(testPipeline))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	a, err := OpenAdmin(Options{Brokers: c.ListenAddrs()})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	_, err = Prepare(context.Background(), a, &streams.Runtime{Topo: topo, Names: topo.Pipeline.Topics.Resolve("p")})
	var missing MissingTopics
	if !errors.As(err, &missing) || len(missing) != 1 || missing[0] != "transactions" || !strings.Contains(err.Error(), "transactions") {
		t.Fatalf("%v", err)
	}
}

// TestWrongCredentials: a broker that refuses the password is not asked for ever.
func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(badParts, "tx"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "freshet", "right"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var refused atomic.Int64
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(q kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl() // kfake hangs up; a real broker says why
		if bytes.Equal(q.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes, []byte("\x00freshet\x00right")) {
			return nil, nil, false
		}
		refused.Add(1)
		resp := q.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("Authentication failed: Invalid username or password")
		return resp, nil, true
	})
	check := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, kerr.SaslAuthenticationFailed) || errors.Is(err, streams.ErrTransient) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "SASL_AUTHENTICATION_FAILED") || !strings.Contains(err.Error(), "credentials")) {
			t.Errorf("%s: %v: expected it to name the credentials", what, err)
		}
	}
	for _, auth := range []plain.Auth{{User: "freshet", Pass: "wrong"}, {User: "nobody", Pass: "right"}} {
		o := Options{Brokers: c.ListenAddrs(), SASL: auth.AsMechanism()}
		a, err := OpenAdmin(o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		check("ping", a.Ping(ctx))
		_, err = a.Partitions(ctx, "tx")
		check("partitions", err)
		a.Close()
		for _, alo := range []bool{false, true} {
			r := newRig(t, "json")
			rt := r.runtimeOn(state.Options{FS: vfs.NewMem()})
			e := streams.NewEngine(rt, streams.EngineOptions{})
			o.Group, o.Topics, o.AtLeastOnce, o.Session = "p", e.Topics(), alo, 6*time.Second
			cl, err := Open(o, e)
			if err == nil {
				err = e.Run(ctx, cl)
			}
			check(fmt.Sprintf("run, at_least_once=%v", alo), err)
			check(fmt.Sprintf("tail, %v", alo), Tail(ctx, o, "tx", func(streams.Record) error { return nil }, func() {}))
		}
		cancel()
	}
	right := plain.Auth{User: "freshet", Pass: "right"}
	a, err := OpenAdmin(Options{Brokers: c.ListenAddrs(), SASL: right.AsMechanism()})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Ping(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestIncompatibleSchema: the registry refuses what the pipeline wants to write.
func TestIncompatibleSchema(t *testing.T) {
	t.Parallel()
	fake := srfake.New()
	defer fake.Close()
	if _, _, err := fake.RegisterSchema("p.features-value", sr.Schema{Schema: `{"type":"record","name":"Features","fields":[{"name":"id","type":"long"}]}`}); err != nil {
		t.Fatal(err)
	}
	fake.Intercept(func(w http.ResponseWriter, q *http.Request) bool { // srfake itself takes any schema
		if q.Method != http.MethodPost || !strings.HasSuffix(q.URL.Path, "/subjects/p.features-value/versions") {
			return false
		}
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"error_code":409,"message":"Schema being registered is incompatible with an earlier schema; details: [{errorType:'TYPE_MISMATCH', path:'/fields/0/type'}]"}`)
		return true
	})
	cl, err := registry.NewClient(registry.Options{URL: fake.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	p, err := streams.Parse("bad.yaml", fmt.Appendf(nil, badPipeline, "avro"))
	if err != nil {
		t.Fatal(err)
	}
	topo, err := streams.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	f, err := streams.NewFeatures(topo)
	if err != nil {
		t.Fatal(err)
	}
	_, err = cl.Register(context.Background(), "p.features-value", f.Schema())
	var inc *registry.IncompatibleError
	if !errors.As(err, &inc) || inc.Subject != "p.features-value" || !strings.Contains(err.Error(), "TYPE_MISMATCH") || errors.Is(err, registry.ErrTransient) {
		t.Fatalf("%v", err)
	}
	if _, err := cl.Register(context.Background(), "p.late-value", (&events.Late{}).Schema()); err != nil {
		t.Fatal(err)
	}
}

// TestManyKeys: 10,000 cards that never come again, with room for a few hundred in memory.
func TestManyKeys(t *testing.T) {
	eachFormat(t, func(t *testing.T, r *rig) {
		const keys, room = 10_000, 512 << 10
		var recs []*kgo.Record
		for i := range keys {
			x := goodTx(i)
			x.card, x.shop = text(fmt.Sprintf("card-%d", i)), fmt.Sprintf("shop-%d", i)
			r.good = append(r.good, x)
			recs = append(recs, r.record(x, r.value(&x)))
		}
		r.produce(recs...)
		p := r.start(state.Options{MemTableBytes: 1 << 20, BlockCacheBytes: 1 << 20}, func(rt *streams.Runtime, _ *streams.EngineOptions, _ *Options) { rt.CacheBytes = room })
		peak, entries := int64(0), 0
		watch := func() {
			for _, s := range p.e.Tables() {
				peak, entries = max(peak, s.Bytes), max(entries, s.Entries)
			}
		}
		n := 0
		p.until("quiet", func() bool {
			watch()
			if n++; !p.e.Quiet() {
				n = 0
			}
			return n == 6
		})
		// What one chunk of a fold brings may exceed the bound until the commit that follows it.
		if peak == 0 || peak > 4*room || entries > keys/2 {
			t.Errorf("a table came to %d bytes and %d entities, its bound is %d bytes", peak, entries, room)
		}
		for _, s := range p.e.Tables() {
			if s.Dirty != 0 || s.Bytes > room {
				t.Errorf("at rest: %+v", s)
			}
		}
		p.stop()
		r.compare()
		t.Logf("peak %d bytes, %d entities", peak, entries)
	})
}

// TestNewerState: a process does not start on state of a newer format, and says of which.
func TestNewerState(t *testing.T) {
	t.Parallel()
	r := newRig(t, "json")
	fs := vfs.NewMem()
	r.produce(r.send(0, 10)...)
	p := r.start(state.Options{FS: fs}, nil)
	p.quiet()
	p.stop()
	db, err := pebble.Open("state", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: noLog{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("\x00format"), binary.BigEndian.AppendUint32(nil, state.FormatVersion+6), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = state.Open(state.Options{Dir: "state", FS: fs})
	var newer *state.NewerFormatError
	if !errors.As(err, &newer) || newer.Found != state.FormatVersion+6 || newer.Supported != state.FormatVersion ||
		!strings.Contains(err.Error(), fmt.Sprintf("version %d", state.FormatVersion+6)) || !strings.Contains(err.Error(), fmt.Sprintf("up to %d", state.FormatVersion)) {
		t.Fatalf("%v", err)
	}
	r.compare()
}

type noLog struct{}

func (noLog) Infof(string, ...any)      {}
func (noLog) Errorf(string, ...any)     {}
func (noLog) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// TestFullDisk: while the disk is full, outputs go on as long as there is room for uncommitted state in memory, then the pipeline waits;
// it does not end. When there is room again nothing is lost and nothing comes twice, also after a crash of the machine.
func TestFullDisk(t *testing.T) {
	eachFormat(t, func(t *testing.T, r *rig) {
		var full atomic.Bool
		mem := vfs.NewCrashableMem()
		disk := errorfs.Wrap(mem, errorfs.InjectorFunc(func(o errorfs.Op) error {
			if full.Load() && o.Kind.ReadOrWrite() == errorfs.OpIsWrite && o.Kind != errorfs.OpRemove {
				return &noSpace{o.Path}
			}
			return nil
		}))
		so := state.Options{FS: disk, SyncEvery: 1, RetryPause: time.Millisecond, ReserveBytes: -1}
		small := func(rt *streams.Runtime, _ *streams.EngineOptions, _ *Options) {
			rt.CacheBytes = 64 << 10
		}
		r.produce(r.send(0, 200)...)
		p := r.start(so, small)
		p.quiet()
		full.Store(true)
		r.produce(r.send(200, 1000)...)
		p.until("the state to be delayed", func() bool { return p.e.Commits.StateDelayed.Load() >= 3 })
		p.until("outputs without it", func() bool { return p.e.Stats(0).Rows.Load() > 200 })
		// Many new keys: more than there is room for. Then it waits, with what is read bounded, too.
		var recs []*kgo.Record
		for i := 1000; i < 4000; i++ {
			x := goodTx(i)
			x.card = text(fmt.Sprintf("card-%d", i))
			recs = append(recs, r.sendTx(x))
		}
		r.produce(recs...)
		rows, still := int64(-1), 0
		p.until("the pipeline to wait", func() bool {
			if n := p.e.Stats(0).Rows.Load(); n != rows {
				rows, still = n, 0
			}
			still++
			return still > 25
		})
		if rows >= 4000 {
			t.Errorf("all %d rows were folded with no room for their state", rows)
		}
		for _, s := range p.e.Tables() {
			if s.Bytes > 16*64<<10 {
				t.Errorf("a table holds %d bytes, its bound is %d", s.Bytes, 64<<10)
			}
		}
		full.Store(false)
		p.quiet()
		r.produce(r.send(4000, 4100)...)
		p.quiet()
		p.stop()
		// The machine goes down: what was synced is all there.
		p = r.start(state.Options{FS: mem.CrashClone(vfs.CrashCloneCfg{})}, small)
		r.produce(r.send(4100, 4200)...)
		p.quiet()
		r.produce(r.probe(4200)...)
		p.quiet()
		p.stop()
		r.compare()
		if d := r.letters(); len(d) != 0 {
			t.Errorf("dead letters: %v", d)
		}
	})
}

type noSpace struct{ path string }

func (e *noSpace) Error() string { return "write " + e.path + ": no space left on device" }
func (e *noSpace) Unwrap() error { return syscall.ENOSPC }

// TestFailingReads: reads of the state that fail for a while, in the first stage and behind a merge, hold the partition back and nothing else.
func TestFailingReads(t *testing.T) {
	t.Parallel()
	r := newRig(t, "json")
	var n, budget atomic.Int64 // not all reads fail: Pebble's own compactions need some, too
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(o errorfs.Op) error {
		if o.Kind == errorfs.OpFileReadAt && strings.HasSuffix(o.Path, ".sst") && budget.Load() > 0 && n.Add(1)%7 == 0 && budget.Add(-1) >= 0 {
			return errors.New("input/output error")
		}
		return nil
	}))
	var recs []*kgo.Record
	r.phase = 1           // the shops' order is settled for probes only
	for i := range 6000 { // each card and shop comes three times, far apart
		x := goodTx(i)
		x.card, x.shop = text(fmt.Sprintf("card-%d", i%2000)), fmt.Sprintf("shop-%d", i%1999)
		recs = append(recs, r.sendTx(x))
	}
	r.produce(recs[:2000]...)
	p := r.start(state.Options{FS: disk, MemTableBytes: 128 << 10, BlockCacheBytes: 1}, func(rt *streams.Runtime, o *streams.EngineOptions, _ *Options) {
		rt.CacheBytes = 64 << 10
		o.RetryMin, o.RetryMax = time.Millisecond, time.Millisecond
	})
	p.quiet()
	budget.Store(30)
	r.produce(recs[2000:]...)
	tries := 0
	p.until("reads to fail in both stages", func() bool {
		if tries++; tries%5 == 0 {
			budget.Store(30)
		}
		return p.e.Stats(0).Retries.Load() > 3 && p.e.Stats(1).Retries.Load() > 3
	})
	budget.Store(0)
	p.quiet()
	p.stop()
	r.compare()
}

// TestDamagedSegment: bytes in an internal topic that are no segment of this pipeline end the process with their place. (The kinds of
// damage are in streams.TestDamagedSegments.)
func TestDamagedSegment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		hurt func([]byte) []byte
		says string
	}{
		{"cut short", func(b []byte) []byte { return b[:len(b)*2/3] }, "damaged or cut short"},
		{"an upstream that is none", func(b []byte) []byte { b[4] = 17; return b }, "unknown upstream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, "json")
			fs := vfs.NewMem()
			r.produce(r.send(0, 50)...)
			p := r.start(state.Options{FS: fs}, nil)
			p.quiet()
			p.stop()
			topic := p.rt.InternalTopic(1)
			segs := r.raw(topic)
			longest := segs[0]
			for _, s := range segs {
				if len(s) > len(longest) {
					longest = s
				}
			}
			rec := &kgo.Record{Topic: topic, Partition: 1, Value: c.hurt(bytes.Clone(longest))}
			r.produce(rec)
			p = r.start(state.Options{FS: fs}, nil)
			err := p.fails()
			if at := fmt.Sprintf("%s/1 offset %d", topic, rec.Offset); !strings.Contains(err.Error(), at) || !strings.Contains(err.Error(), c.says) || errors.Is(err, streams.ErrTransient) {
				t.Errorf("%v: expected %q and %q", err, at, c.says)
			}
			r.compare()
		})
	}
}

// TestForeignState: a state directory of another broker, or of another group, is refused before anything is folded on top of it.
func TestForeignState(t *testing.T) {
	eachFormat(t, func(t *testing.T, r *rig) {
		fs := vfs.NewMem()
		r.produce(r.send(0, 100)...)
		p := r.start(state.Options{FS: fs}, nil)
		p.quiet()
		p.stop()
		r.compare()

		other := newRig(t, r.format) // the same pipeline on other brokers, which have not come as far
		other.produce(other.send(0, 10)...)
		if err := other.start(state.Options{FS: fs}, nil).failsAndCloses(); !strings.Contains(err.Error(), "another group or broker") || !strings.Contains(err.Error(), "the state is at offset") {
			t.Error(err)
		}
		// Another group on the same brokers, and one that has come further on others: only the state can tell.
		group := func(rt *streams.Runtime, _ *streams.EngineOptions, o *Options) { rt.Origin, o.Group = "q", "q" }
		if err := r.start(state.Options{FS: fs}, group).failsAndCloses(); !strings.Contains(err.Error(), `belongs to "p", this is "q"`) {
			t.Error(err)
		}
		p = r.start(state.Options{FS: fs}, nil) // its own group may have it still
		r.produce(r.send(100, 150)...)
		p.quiet()
		r.produce(r.probe(150)...)
		p.quiet()
		p.stop()
		r.compare()
	})
}

func (p *process) failsAndCloses() error {
	p.r.t.Helper()
	err := p.fails()
	if cerr := p.rt.Store.Close(); cerr != nil {
		p.r.t.Error(cerr)
	}
	return err
}

// TestDamagedSnapshot: of the models topic only whole snapshots that fit come into force; another leaves the one in force where it is.
func TestDamagedSnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testPipeline, 4000, 2)
	if b.run(vfs.NewMem(), Options{}, nil, nil) {
		t.Fatal("killed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var last events.Model
	board := streams.NewBoard(b.topo)
	o := Options{Brokers: b.addrs}
	read := func(f func(streams.Record)) {
		t.Helper()
		rctx, stop := context.WithTimeout(ctx, 30*time.Second)
		defer stop()
		if err := Tail(rctx, o, "p.models", func(r streams.Record) error { f(r); return nil }, stop); err != nil {
			t.Fatal(err)
		}
	}
	var raw []byte
	read(func(r streams.Record) { raw = r.Value })
	m, err := snapshotOf(raw)
	if err != nil {
		t.Fatal(err)
	}
	last.Bytes = m
	if err := board.Hear(b.topo, last.Bytes); err != nil {
		t.Fatal(err)
	}
	before := board.Get(0)
	if before == nil || before.Version == 0 {
		t.Fatal("no snapshot in force")
	}
	bad := [][]byte{nil, {}, []byte("hello"), last.Bytes[:len(last.Bytes)/2], append(bytes.Clone(last.Bytes), 1)}
	for i := range last.Bytes {
		x := bytes.Clone(last.Bytes)
		x[i] ^= 1 << (i % 8)
		bad = append(bad, x)
	}
	for i, x := range bad {
		if err := board.Hear(b.topo, x); err == nil {
			t.Errorf("damaged snapshot %d of %d bytes was taken", i, len(x))
		}
		if board.Get(0) != before {
			t.Fatalf("damaged snapshot %d is in force", i)
		}
	}
}

// snapshotOf is the model in a JSON record of the models topic: bytes as code points, where they are no text.
func snapshotOf(v []byte) ([]byte, error) {
	var j struct{ Bytes string }
	if err := stdjson.Unmarshal(v, &j); err != nil {
		return nil, err
	}
	var out []byte
	for _, c := range j.Bytes {
		out = append(out, byte(c))
	}
	return out, nil
}

// TestCarried: a record that does not fit into a dead letter is cut, with a word about that, instead of stopping the pipeline.
func TestCarried(t *testing.T) {
	eachFormat(t, func(t *testing.T, r *rig) {
		const room = 4800
		x := goodTx(0)
		bad := [][]byte{ // as JSON a control character takes six bytes
			bytes.Repeat([]byte{'x'}, room-10), bytes.Repeat([]byte{1}, room-10), bytes.Repeat([]byte{'x'}, 10*room),
		}
		whole := []int{room - 10, room - 10, 0}
		if r.format == "json" {
			whole[1] = 0
		}
		recs := r.send(0, 20)
		for _, b := range bad {
			recs = append(recs, r.record(x, b))
		}
		recs = append(recs, r.send(20, 40)...)
		r.produce(recs...)
		p := r.start(state.Options{}, func(rt *streams.Runtime, _ *streams.EngineOptions, _ *Options) { rt.MaxCarry = room })
		p.quiet()
		p.stop()
		r.compare()
		letters := r.letters()
		if len(letters) != len(bad) {
			t.Fatalf("%d dead letters", len(letters))
		}
		slices.SortFunc(letters, func(a, b events.DeadLetter) int { return int(a.Offset - b.Offset) })
		for i, d := range letters {
			cut := strings.Contains(d.Detail, fmt.Sprintf("a value of %d bytes", len(bad[i])))
			switch {
			case !bytes.HasPrefix(bad[i], d.Value):
				t.Errorf("%d: other bytes", i)
			case whole[i] > 0 && (cut || len(d.Value) != whole[i]), whole[i] == 0 && (!cut || len(d.Value) < room/8 || len(d.Value) > room):
				t.Errorf("%d: %d of %d bytes, %s", i, len(d.Value), len(bad[i]), d.Detail)
			}
		}
		for _, v := range r.raw("p.dead-letters") {
			if len(v) > room+1000 {
				t.Errorf("a dead letter of %d bytes", len(v))
			}
		}
	})
}
