package forest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/learnertest/stream"
)

var _ contract.ClassifierBatcher = (*Forest)(nil)

func TestTry(t *testing.T) {
	vars := map[string]func(*Options){
		"sqrt": func(o *Options) { o.MaxFeatures = Sqrt }, "share": func(o *Options) { o.MaxFeatures = Share },
		"hedge": func(o *Options) {}, "all": func(o *Options) { o.MaxFeatures = All },
		"raw": func(o *Options) { o.Raw = true }, "poor": func(o *Options) { o.ReplacePoor = true },
		"hist": func(o *Options) { o.Observer = 1 },
		"c20":  func(o *Options) { o.Candidates = 20 }, "share1": func(o *Options) { o.MaxShareToSplit = 1 }, "gini": func(o *Options) { o.Criterion = 1 },
		"branch": func(o *Options) { o.MaxShareToSplit = 1; o.MinBranchFraction = 0.001 }, "g25": func(o *Options) { o.GracePeriod = 25 },
		"d1": func(o *Options) { o.Delta = .1 }, "d001": func(o *Options) { o.Delta = .001 },
	}
	limit := 10000
	fmt.Sscan(os.Getenv("LIMIT"), &limit)
	seeds := 2
	fmt.Sscan(os.Getenv("SEEDS"), &seeds)
	names := strings.Fields(os.Getenv("DATA"))
	if len(names) == 0 {
		names = strings.Fields("phishing bananas weather elec2 sea_abrupt agr_a rbf_m hyper_f stagger flights_late 2cdt sea_v")
	}
	for _, name := range names {
		d := stream.Load(t, name, limit)
		line := fmt.Sprintf("%-13s", name)
		for _, v := range strings.Fields(os.Getenv("VARS")) {
			var acc, kap, ll float64
			for s := range seeds {
				o := Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal, Seed: uint64(s + 1)}
				vars[v](&o)
				f, err := New(o)
				if err != nil {
					t.Fatal(err)
				}
				r := stream.Classify(d, f)
				acc, kap, ll = acc+100*r.Accuracy/float64(seeds), kap+100*r.Kappa/float64(seeds), ll+r.LogLoss/float64(seeds)
			}
			line += fmt.Sprintf(" | %s %.2f %.1f %.3f", v, acc, kap, ll)
		}
		fmt.Println(line)
	}
}

func BenchmarkElec2(b *testing.B) { bench(b, "elec2", 20000) }
func BenchmarkRBF(b *testing.B)   { bench(b, "rbf_m", 20000) }

func bench(b *testing.B, name string, n int) {
	d := stream.Load(b, name, n)
	stream.Bench(b, d, func() {
		f, _ := New(Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal})
		stream.Classify(d, f)
	})
}
