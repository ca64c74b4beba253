package integration

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sharedData finds a folder of the cases that are kept beside the repository; the test is skipped where they are absent.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if p := filepath.Join(dir, "shared", "data", name); exists(p) {
			return p
		}
	}
	line := "SKIPPED: no shared/data/" + name + " beside this repository: the replay of real events was not tested"
	fmt.Fprintf(os.Stderr, "\n==== %s: %s ====\n\n", t.Name(), line)
	t.Skip(line)
	return ""
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// firstRows copies the header and the first rows of a gzipped CSV file; all of them with rows 0.
func firstRows(t *testing.T, from string, rows int) string {
	t.Helper()
	if rows == 0 {
		return from
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(from), ".gz"))
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(out)
	r := bufio.NewReader(z)
	for range rows + 1 {
		line, err := r.ReadSlice('\n')
		if _, e := w.Write(line); e != nil {
			t.Fatal(e)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Flush(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return to
}

// backfilled reads the CSV that `freshet backfill` wrote. The shortest decimal text of a number names one float64, so equal values are
// equal text.
func backfilled(t *testing.T, path string) *history {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	h := &history{rows: map[string][]float64{}}
	for _, n := range head[1:] {
		h.names = append(h.names, strings.Clone(n))
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return h
		}
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, len(h.names))
		for i, v := range row[1:] {
			x[i] = math.NaN()
			if v != "" {
				if x[i], err = strconv.ParseFloat(v, 64); err != nil {
					t.Fatalf("%s: %s: %v", path, h.names[i], err)
				}
			}
		}
		if _, ok := h.rows[row[0]]; ok {
			t.Fatalf("%s: id %s twice", path, row[0])
		}
		h.rows[strings.Clone(row[0])] = x
	}
}

// replayed sends files to topics and holds every live vector against the backfill of the same files. With live the pipeline runs
// before the first event is sent; else it finds them all there, which is what a rebuild of a pipeline does.
func replayed(t *testing.T, base string, inputs []string, live bool) {
	more := ""
	if live {
		more = "idle: 5s" // the first records of the partitions may be a little apart; none may count as idle before
	}
	w := newWorld(t, base, 0, more) // replay makes the topics, with 4 partitions
	out := filepath.Join(t.TempDir(), "features.csv")
	args := []string{"-f", w.file}
	for _, in := range inputs {
		args = append(args, "--input", in)
	}
	began := time.Now()
	command(t, 10*time.Minute, append(append([]string{"backfill"}, args...), "--output", out, "--json")...)
	h := backfilled(t, out)
	t.Logf("backfill of %d events: %s", len(h.rows), time.Since(began).Round(100*time.Millisecond))

	var p *process
	if live {
		p = w.run() // waits for the topics
		p.await("/readyz to name the topics", time.Minute, func() bool { _, text := p.get("/readyz"); return strings.Contains(text, w.name+".src.") })
	}
	sent := command(t, 10*time.Minute, append(append([]string{"replay"}, args...), "--brokers", strings.Join(w.s.Brokers, ","), "--registry", w.s.RegistryURL, "--speed", "max", "--json")...)
	var said struct {
		Records  int64
		Rejected int64
		PerSec   float64 `json:"records_per_second"`
	}
	if err := stdjson.Unmarshal([]byte(sent[strings.LastIndex(strings.TrimSpace(sent), "\n")+1:]), &said); err != nil || said.Rejected > 0 {
		t.Fatalf("replay: %v %s", err, sent)
	}
	t.Logf("replay: %d records, %.0f/s", said.Records, said.PerSec)

	began = time.Now()
	if !live {
		time.Sleep(5 * time.Second) // the broker looks at retention meanwhile: events of years ago must still be there
		p = w.run()
		p.ready(2 * time.Minute)
	}
	d := w.decoders()
	a := newAudit(t, h, nil)
	r := w.read(w.name+".features", func(r *kgo.Record) { rec, _ := d.native(r.Value); a.add(rec) })
	r.until(p, len(h.rows), 10*time.Minute)
	t.Logf("%d live vectors: %s", r.n, time.Since(began).Round(100*time.Millisecond))
	time.Sleep(1500 * time.Millisecond) // metrics are copied once a second
	behind, ok := p.metric("freshet_merge_behind_rows_total")
	forced, _ := p.metric("freshet_merge_forced_advances_total")
	t.Logf("rows behind the merge: %v, merges that went on without an upstream: %v", behind, forced)
	if !ok || behind != 0 {
		t.Errorf("%v rows came behind the merge (metric there: %v), want 0: all partitions are read together", behind, ok)
	}
	p.stop()
	r.toEnd()
	a.done()
}

// TestReplayFraud: card payments as JSON over four partitions, known fraud seven days later.
func TestReplayFraud(t *testing.T) {
	rows := 300_000
	if os.Getenv("FRESHET_TEST_FULL") != "" {
		rows = 0 // all 1.75 million
	}
	path := firstRows(t, filepath.Join(sharedData(t, "fraud"), "transactions.csv.gz"), rows)
	t.Run("found", func(t *testing.T) { replayed(t, "handbook.yaml", []string{"transactions=" + path}, false) })
	t.Run("live", func(t *testing.T) { replayed(t, "handbook.yaml", []string{"transactions=" + path}, true) })
}

// TestReplayFlights: two topics, departures and hourly weather, and arrivals known when the flight lands.
func TestReplayFlights(t *testing.T) {
	dir := sharedData(t, "eta")
	rows := 100_000
	if os.Getenv("FRESHET_TEST_FULL") != "" {
		rows = 0
	}
	inputs := []string{"flights=" + firstRows(t, filepath.Join(dir, "flights.csv.gz"), rows), "weather=" + filepath.Join(dir, "weather.csv.gz")}
	t.Run("found", func(t *testing.T) { replayed(t, "flights.yaml", inputs, false) })
	t.Run("live", func(t *testing.T) { replayed(t, "flights.yaml", inputs, true) })
}
