package tree

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"freshet/learners/learnertest/stream"
)

func TestTry(t *testing.T) {
	vars := map[string]func(o Options) (*Tree, error){
		"ht": New, "efdt": func(o Options) (*Tree, error) { o.Delta = 1e-5; return NewFast(o) },
		"hat":  func(o Options) (*Tree, error) { o.Bootstrap = true; o.Seed = 1; return NewAdaptive(o) },
		"hist": func(o Options) (*Tree, error) { o.Observer = Histogram; return New(o) },
		"g50":  func(o Options) (*Tree, error) { o.GracePeriod = 50; o.Delta = .01; return New(o) },
	}
	limit := 10000
	fmt.Sscan(os.Getenv("LIMIT"), &limit)
	names := strings.Fields(os.Getenv("DATA"))
	if len(names) == 0 {
		names = strings.Fields("phishing bananas weather elec2 sea_abrupt agr_a rbf_m hyper_f stagger flights_late 2cdt sea_v")
	}
	for _, name := range names {
		d := stream.Load(t, name, limit)
		line := fmt.Sprintf("%-13s", name)
		for _, v := range strings.Fields(os.Getenv("VARS")) {
			o := Options{Features: d.Input.Features, Classes: d.Classes, Nominal: d.Input.Nominal}
			f, err := vars[v](o)
			if err != nil {
				t.Fatal(err)
			}
			r := stream.Classify(d, f)
			s := f.Shape()
			line += fmt.Sprintf(" | %s %.2f %.1f %.3f (%d, %d)", v, 100*r.Accuracy, 100*r.Kappa, r.LogLoss, s.Leaves, f.Drifts())
		}
		fmt.Println(line)
	}
}
