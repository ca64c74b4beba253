package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"freshet/deploy/pipelines"
	"freshet/schemas"
	"freshet/schemas/json"
	"freshet/state"
	"freshet/streams"
	"freshet/streams/kafka"
	"freshet/streams/simulate"
)

type benchFlags struct {
	connection
	events, seed int64
	partitions   int
	commit       time.Duration
	keep, plain  bool
	brokerPID    int
	profile      string
	json         bool
}

// bench groups the benchmarks that need more than the go tool.
func (a *app) bench() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "measure freshet against real services"}
	var f benchFlags
	p := a.verb("pipeline", "measure the whole pipeline on a broker: workload W, two entities, durable state", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		return a.benchPipeline(ctx, f)
	})
	f.flags(p.Flags())
	c.AddCommand(p)
	return c
}

func (f *benchFlags) flags(fs *pflag.FlagSet) {
	f.brokerFlags(fs)
	fs.Int64Var(&f.events, "events", 2_000_000, "events")
	fs.Int64Var(&f.seed, "seed", 42, "seed of the workload")
	fs.IntVar(&f.partitions, "partitions", 8, "partitions of the source topic")
	fs.DurationVar(&f.commit, "commit", time.Second, "commit interval")
	fs.BoolVar(&f.plain, "at-least-once", false, "at_least_once in place of exactly_once")
	fs.BoolVar(&f.keep, "keep", false, "keep the source topic for the next run; one that is there and whole is used as it is")
	fs.IntVar(&f.brokerPID, "broker-pid", 0, "process id of a broker on this machine, for its CPU time")
	fs.StringVar(&f.profile, "cpuprofile", "", "write a CPU profile of the measured part, and FILE.heap half way")
	fs.BoolVar(&f.json, "json", false, "print one JSON object")
}

// benchResult is what is printed. CPU is user and system time; the broker's is there only with --broker-pid.
type benchResult struct {
	Events              int64   `json:"events"`
	Seconds             float64 `json:"seconds"`
	EventsPerSecond     float64 `json:"events_per_second"`
	CPUPerMillion       float64 `json:"cpu_seconds_per_million"`
	BrokerCPUPerMillion float64 `json:"broker_cpu_seconds_per_million,omitempty"`
	PeakRSSBytes        int64   `json:"peak_rss_bytes"`
	StateBytes          int64   `json:"state_bytes"`
	Entities            int64   `json:"entities"`
	BytesPerEntity      float64 `json:"state_bytes_per_entity"`
	Features            int64   `json:"features_published"`
	Commits             int64   `json:"commits"`
	CommitMillis        float64 `json:"commit_milliseconds"`
	Late                int64   `json:"late"`
	Behind              int64   `json:"behind"`
	Delivery            string  `json:"delivery"`
}

func (a *app) benchPipeline(ctx context.Context, f benchFlags) error {
	if err := f.fill(a); err != nil {
		return err
	}
	ko, err := f.kafka()
	if err != nil {
		return err
	}
	topo, err := benchTopology(f)
	if err != nil {
		return err
	}
	adm, err := kafka.OpenAdmin(ko)
	if err != nil {
		return err
	}
	defer adm.Close()
	if err := a.benchInput(ctx, f, ko, adm, topo); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "freshet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	res, err := a.benchRun(ctx, f, ko, adm, topo, dir)
	if !f.keep {
		err = errors.Join(err, adm.Delete(ctx, topo.Streams[topo.Events].Spec.Topic))
	}
	if err != nil {
		return err
	}
	if f.json {
		return a.json(res)
	}
	_, err = fmt.Fprintf(a.out, "%s events in %.1f s: %s events/s, %.1f CPU s per million", thousands(res.Events), res.Seconds, thousands(int64(res.EventsPerSecond)), res.CPUPerMillion)
	if res.BrokerCPUPerMillion > 0 {
		fmt.Fprintf(a.out, " (broker %.1f)", res.BrokerCPUPerMillion)
	}
	fmt.Fprintf(a.out, ", peak memory %d MB, %.0f bytes of state an entity (%s entities), %s\n", res.PeakRSSBytes>>20, res.BytesPerEntity, thousands(res.Entities), res.Delivery)
	return err
}

func benchTopology(f benchFlags) (*streams.Topology, error) {
	src, err := pipelines.FS.ReadFile("bench.yaml")
	if err != nil {
		return nil, err
	}
	p, err := streams.Parse("bench.yaml", src)
	if err != nil {
		return nil, err
	}
	// A topic of its own for each workload; the group and internal topics are new in each run.
	p.Streams[0].V.Topic = fmt.Sprintf("freshet-bench-%d-%d-%d", f.seed, f.events, f.partitions)
	p.Name = fmt.Sprintf("bench-%d", time.Now().UnixNano())
	p.Commit = streams.Duration(f.commit)
	return streams.Compile(p)
}

// benchInput fills the source topic, unless it is whole.
func (a *app) benchInput(ctx context.Context, f benchFlags, ko kafka.Options, adm *kafka.Admin, topo *streams.Topology) error {
	topic := topo.Streams[topo.Events].Spec.Topic
	if n, err := adm.Count(ctx, topic); err == nil && n == f.events {
		return nil
	} else if err == nil {
		if err := adm.Delete(ctx, topic); err != nil {
			return err
		}
	}
	if err := adm.Ensure(ctx, []kafka.Topic{{Name: topic, Partitions: int32(f.partitions), Config: map[string]string{"retention.ms": "-1"}}}); err != nil {
		return err
	}
	pr, err := kafka.OpenProducer(ko, 20*time.Millisecond)
	if err != nil {
		return err
	}
	defer pr.Close()
	var done int64
	bar := startProgress(a.err, "events produced", f.events, func() int64 { return done }, nil)
	defer bar.stop()
	g := simulate.NewW(f.seed, f.events)
	var ev simulate.Payment
	for g.Next(&ev) && ctx.Err() == nil {
		if err := pr.Send(ctx, topic, append([]byte(nil), ev.CardID...), ev.AppendJSON(make([]byte, 0, 200))); err != nil {
			return err
		}
		done++
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return pr.Flush(ctx)
}

// benchRun measures from the first record to the last committed output.
func (a *app) benchRun(ctx context.Context, f benchFlags, ko kafka.Options, adm *kafka.Admin, topo *streams.Topology, dir string) (res benchResult, err error) {
	st, err := state.Open(state.Options{Dir: filepath.Join(dir, "state")})
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	feat, err := streams.NewFeatures(topo)
	if err != nil {
		return res, err
	}
	rt := &streams.Runtime{Topo: topo, Store: st, Format: streams.Format{JSON: true, Features: feat}, Board: streams.NewBoard(topo), Names: topo.Pipeline.Topics.Resolve(topo.Pipeline.Name),
		Decoder: func(s int) (schemas.Decoder, error) {
			return json.New(topo.Streams[s].Wire, json.Options{TimeCol: topo.Streams[s].TimeCol()})
		}}
	if rt.Parts, err = kafka.Prepare(ctx, adm, rt); err != nil {
		return res, err
	}
	defer func() {
		dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, adm.Delete(dctx, kafka.Owned(rt)...))
	}()
	e := streams.NewEngine(rt, streams.EngineOptions{})
	ko.Group, ko.Instance, ko.Topics, ko.AtLeastOnce = topo.Pipeline.Name, "bench", e.Topics(), f.plain
	cl, err := kafka.Open(ko, e)
	if err != nil {
		return res, err
	}
	if f.profile != "" {
		w, err := os.Create(f.profile)
		if err != nil {
			return res, err
		}
		defer w.Close()
		if err := pprof.StartCPUProfile(w); err != nil {
			return res, err
		}
		defer pprof.StopCPUProfile()
	}
	runtime.GC()
	ectx, cancel := context.WithCancel(ctx)
	defer cancel()
	final := len(topo.Stages) - 1
	var start, end time.Time
	var cpu0, cpu1, broker0, broker1 float64
	broker0 = processCPU(f.brokerPID)
	watched := make(chan struct{})
	bar := startProgress(a.err, "events", f.events, e.Stats(final).Features.Load, nil)
	go func() {
		defer close(watched)
		half := false
		for ectx.Err() == nil {
			time.Sleep(2 * time.Millisecond)
			if start.IsZero() && e.Stats(0).Records.Load() > 0 {
				start, cpu0 = time.Now(), ownCPU()
			}
			if !half && f.profile != "" && e.Committed.Load() >= f.events/2 {
				half = true
				if w, err := os.Create(f.profile + ".heap"); err == nil {
					_ = pprof.WriteHeapProfile(w)
					w.Close()
				}
			}
			if e.Committed.Load() >= f.events {
				end, cpu1, broker1 = time.Now(), ownCPU(), processCPU(f.brokerPID)
				res.StateBytes = st.Bytes()
				cancel()
			}
		}
	}()
	err = e.Run(ectx, cl)
	cancel()
	<-watched
	bar.stop()
	if err != nil {
		return res, err
	}
	if end.IsZero() {
		return res, fmt.Errorf("stopped after %s of %s events", thousands(e.Stats(final).Features.Load()), thousands(f.events))
	}
	million := float64(f.events) / 1e6
	res.Events, res.Seconds = f.events, end.Sub(start).Seconds()
	res.EventsPerSecond = float64(f.events) / res.Seconds
	res.CPUPerMillion = (cpu1 - cpu0) / million
	if f.brokerPID > 0 {
		res.BrokerCPUPerMillion = (broker1 - broker0) / million
	}
	res.PeakRSSBytes = peakRSS()
	res.Features, res.Commits = e.Stats(final).Features.Load(), e.Commits.Commits.Load()
	res.CommitMillis = float64(e.Commits.Sum.Load()) / 1e3 / float64(max(res.Commits, 1))
	for i := range topo.Stages {
		res.Late += e.Stats(i).Late.Load()
		res.Behind += e.Stats(i).Behind.Load()
	}
	res.Entities = simulate.WCards + simulate.WMerchants
	res.BytesPerEntity = float64(res.StateBytes) / float64(res.Entities)
	res.Delivery = "exactly_once"
	if f.plain {
		res.Delivery = "at_least_once"
	}
	return res, nil
}

// ownCPU is this process's user and system time in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// processCPU is another process's; 0 where it cannot be read.
func processCPU(pid int) float64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	u, _ := strconv.ParseFloat(f[11], 64)
	s, _ := strconv.ParseFloat(f[12], 64)
	return (u + s) / 100 // clock ticks, 100 a second on Linux
}

func peakRSS() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 10, 64)
			return kb << 10
		}
	}
	return 0
}
