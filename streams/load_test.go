package streams

import (
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// TestBad holds every message of every file in testdata/bad: each class of mistake, all of a file at once.
func TestBad(t *testing.T) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	if len(files) < 10 {
		t.Fatalf("found %d files in testdata/bad", len(files))
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			_, err := Load(f)
			var es Errors
			if !errors.As(err, &es) {
				t.Fatalf("Load gave %v, expected Errors", err)
			}
			for i, e := range es {
				if e.Line == 0 || e.Col == 0 || e.File != f {
					t.Errorf("no place: %v", e)
				}
				if i > 0 && (es[i-1].Line > e.Line || es[i-1].Line == e.Line && es[i-1].Col > e.Col) {
					t.Errorf("not in the order of the file: %v", e)
				}
			}
			golden(t, strings.TrimSuffix(f, ".yaml")+".txt", strings.ReplaceAll(err.Error(), "testdata/bad/", "")+"\n")
		})
	}
}

// edit is a shipped pipeline with one mistake put in.
func edit(t *testing.T, file, from, to string) []byte {
	t.Helper()
	src, err := os.ReadFile("../deploy/pipelines/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(src), from) {
		t.Fatalf("%s does not contain %q", file, from)
	}
	return []byte(strings.Replace(string(src), from, to, 1))
}

// TestOneMistake: one mistake gives one message, at its place, with the nearest word; nothing else is blamed for it.
func TestOneMistake(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"within: 3d", "within: 3 days", `fraud.yaml:7:72: streams.labelled.within: bad duration "3 days": unknown unit " days", expected a duration such as 30s, 5m, 24h, 7d or 2w`},
		{"within: 3d, ", "", `fraud.yaml:7:3: streams.labelled.within: missing: without it a record that has no match is kept for ever; expected within: 3d`},
		{"with: chargebacks", "with: chargeback", `fraud.yaml:7:40: streams.labelled.with: unknown stream "chargeback", expected one of transactions, chargebacks, labelled; nearest: chargebacks`},
		{"join: transactions", "join: labelled", `fraud.yaml:7:20: streams.labelled.join: cyclic: labelled -> labelled`},
		{"spend: sum(amount)", "spend: sume(amount)", `fraud.yaml:13:78: features.card[0].compute.spend: unknown aggregation "sume", expected one of count, sum, mean, min, max, std, distinct, last, seconds_since_last, speed, ewma; nearest: sum`},
		{"card.mean_7d", "card.mean_8d", `fraud.yaml:21:26: derived.amount_ratio: unknown name card.mean_8d; nearest: card.mean_7d`},
		{"hour(ts) <= 5", "hour(ts) <= 'five'", `fraud.yaml:22:19: derived.night: <= cannot compare a number with text`},
		{`where: channel == "ecom"`, `where: channel`, ``},
		{`channel == "ecom"`, `amount == "ecom"`, `is used as text here and as a number in`},
		{"n: count()", "n: count(), n: count()", `duplicate name "n", first in line 13`},
		{"detector: adwin", "detector: adwim", `unknown detector "adwim", expected one of adwin, page_hinkley, cusum, kswin, seed, ddm, eddm, rddm, hddm_a, hddm_w, fhddm, stepd, ewma, psi, distribution, robust, seasonal, calibrated, dummy; nearest: adwin`},
		{"learner: logistic, rate: 0.05", "learner: logistic, rat: 0.05", `fraud.yaml:25:35: models.challenger.rat: logistic has no parameter "rat"`},
		{"traffic: 10%", "traffic: 110%", `bad share "110%": expected 0% to 100%, as in 10%`},
		{`"speed(lat, lon)"`, "speed(lat, lon)", ``}, // a comma within the parentheses is mended
	} {
		_, err := Parse("fraud.yaml", edit(t, "fraud.yaml", c.from, c.to))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.to, err)
		case c.want != "" && (err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s:\n got %v\nwant %s", c.to, err, c.want)
		}
	}
}

func TestFileLimits(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for name, src := range map[string]string{
		"at most 262144 are allowed": strings.Repeat("# long\n", MaxFileBytes),
		"nested too deep":            strings.Repeat("[", 1000),
		"more than 200000 values":    bomb(),
		"and ":                       "pipeline: p\nstreams: {a: {id: i, time: t}}\nfeatures: {" + strings.Repeat("a: 1, ", 1000) + "}",
	} {
		if _, err := Parse("p.yaml", []byte(src)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("expected %q, got %.300v", name, err)
		}
	}
}

// bomb is a file whose aliases expand to millions of values.
func bomb() string {
	var b strings.Builder
	b.WriteString("pipeline: p\nstreams: {a: {id: i, time: t}}\nx: &l [" + strings.Repeat("f,", 5000) + "f]\nmodels:\n")
	for i := range 30 {
		b.WriteString("  m" + strings.Repeat("x", i) + ": {learner: logistic, target: y, labels: a, features: *l, nominal: *l}\n")
	}
	return b.String()
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "24h": 24 * time.Hour, "7d": 168 * time.Hour, "2w": 336 * time.Hour, "1h30m": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, " 5m ": 5 * time.Minute, "0": 0, "0s": 0,
	} {
		if got, err := ParseDuration(text); err != nil || time.Duration(got) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		} else if back, err := ParseDuration(got.String()); err != nil || back != got {
			t.Errorf("%q is written as %q, which reads back as %v, %v", text, got, back, err)
		}
	}
	for _, text := range []string{"", "30", "s", "-1s", "1y", "1S", "1 h", "1e3s", "0.0001s", "99999999w", "1h-", "..s", "h1"} {
		if got, err := ParseDuration(text); err == nil || !strings.Contains(err.Error(), "bad duration") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestForms: words or lists, windows in three forms, anchors, aliases and merges all mean the same.
func TestForms(t *testing.T) {
	p, err := Parse("p.yaml", []byte(`
pipeline: p
streams:
  a: &base {id: i, time: t, keyed_by: k}
  b: {<<: *base, topic: other, keyed_by: j}
entities:
  one: {key: k}
  two: {key: [k, j]}
features:
  one:
    - {from: a, over: 1h, compute: {n: count()}}
    - {from: a, over: [2h, 1d], compute: &c {m: count()}}
    - from: b
      over: {day: 1d}
      compute: {<<: *c, o: count()}
`))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := p.Streams.Get("b")
	if b.ID != "i" || b.Time != "t" || b.KeyedBy != "j" || b.Topic != "other" {
		t.Errorf("merged stream: %+v", b)
	}
	two, _ := p.Entities.Get("two")
	if cmp.Diff(two.Key, Strings{"k", "j"}) != "" {
		t.Errorf("key: %v", two.Key)
	}
	top, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range top.FeatureCols {
		names = append(names, f.Name)
	}
	want := []string{"k", "one_n_1h", "one_m_2h", "one_m_1d", "one_o_day", "one_m_day"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("features (-want +got):\n%s", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, dir := range []string{"testdata/bad/*.yaml", "../deploy/pipelines/*.yaml"} {
		files, _ := filepath.Glob(dir)
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := Parse("testdata/bad/fuzz.yaml", src)
		if err == nil {
			top, err := Compile(p)
			if err != nil {
				t.Fatalf("Parse took it, Compile says %v", err)
			}
			if err := top.Describe().WriteText(discard{}); err != nil {
				t.Fatal(err)
			}
			return
		}
		var es Errors
		if !errors.As(err, &es) || len(es) == 0 {
			t.Fatalf("not Errors: %v", err)
		}
		for _, e := range es {
			if e.Msg == "" || strings.Contains(e.Msg, "BUG") {
				t.Fatalf("%v", e)
			}
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// TestMutations puts words of the files in place of others, which reaches deeper than random bytes: no mixture panics,
// and what Parse takes is well formed.
func TestMutations(t *testing.T) {
	var files []string
	for _, dir := range []string{"testdata/bad/*.yaml", "../deploy/pipelines/*.yaml"} {
		found, _ := filepath.Glob(dir)
		files = append(files, found...)
	}
	split := regexp.MustCompile(`[A-Za-z_0-9.%]+|[^A-Za-z_0-9.%]+`)
	var sources [][]string
	var words []string
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		parts := split.FindAllString(string(src), -1)
		sources = append(sources, parts)
		words = append(words, parts...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	good := 0
	for i := range 2000 {
		parts := slices.Clone(sources[i%len(sources)])
		for range 1 + r.IntN(4) {
			parts[r.IntN(len(parts))] = words[r.IntN(len(words))]
		}
		src := strings.Join(parts, "")
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Fatalf("%v\n%s", p, src)
				}
			}()
			p, err := Parse("testdata/bad/mutation.yaml", []byte(src))
			if err != nil {
				if strings.Contains(err.Error(), "BUG") {
					t.Errorf("%v\n%s", err, src)
				}
				return
			}
			top, err := Compile(p)
			if err != nil {
				t.Fatalf("Parse took it, Compile says %v", err)
			}
			good++
			wellFormed(t, top)
			if t.Failed() {
				t.Fatal(src)
			}
		}()
	}
	if good < 25 {
		t.Errorf("only %d of the mutations compile", good)
	}
}
