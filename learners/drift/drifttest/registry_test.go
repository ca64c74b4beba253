package drifttest

import (
	"strings"
	"testing"

	"freshet/learners/drift"
	"freshet/learners/wire"
)

func TestRegistry(t *testing.T) {
	for _, text := range []string{"adwin(after=keep)", "page_hinkley(standardize=true,threshold=100)", "psi(bins=4)", "distribution(distance=psi)", "distribution(distance=hellinger,panes=1)", "distribution(distance=tv)", "distribution(distance=ks)", "distribution(distance=ks,window=5000,sample=500,reference=5000,threshold=0.15)",
		"distribution(distance=wasserstein,threshold=0.2)", "distribution(distance=chi2)", "distribution(distance=chi2,categorical=true)", "distribution(distance=js,categorical=true)",
		"cusum(standardize=true,delta=0.1,threshold=200)", "hddm_a(two_sided_test=true)", "hddm_w(two_sided_test=true)", "fhddm(short_window_size=25)", "kswin(window_size=400,stat_size=40)",
		"robust(spread=false)", "calibrated(detector=cusum,run=20000,length=50000)", "seasonal(detector=adwin,period=24)", "seasonal(detector=page_hinkley(threshold=300,mode=both),period=7)"} {
		spec, err := drift.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		// Of categories there are few: errors are two.
		spec.Entry.Binary = spec.Entry.Binary || strings.Contains(text, "categorical")
		t.Run(text, func(t *testing.T) { Detector(t, spec) })
	}
	for _, e := range drift.Registry() {
		if e.Doc == "" || e.Reference == "" {
			t.Errorf("%s: no documentation or reference", e.Name)
		}
		spec, err := drift.Parse(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("defaults of "+e.Name, func(t *testing.T) { Detector(t, spec) })
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"adwim":          `did you mean "adwin"?`,
		"adwin(dleta=1)": `did you mean "delta"?`,
		"adwin(delta=2)": "expected number from",
	} {
		if _, err := drift.New(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func FuzzBytes(f *testing.F) {
	var all []drift.Detector
	for _, e := range drift.Registry() {
		d, err := drift.New(e.Name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range 50 {
			d.Update(float64(i))
		}
		b, _ := d.AppendBinary(nil)
		f.Add(b)
		all = append(all, d)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range all {
			_ = d.UnmarshalBinary(data)
			if len(data) > 4 && d.UnmarshalBinary(wire.Seal(append([]byte(nil), data[:len(data)-4]...), 0)) == nil {
				d.Update(1)
			}
		}
	})
}
