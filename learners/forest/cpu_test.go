package forest

import (
	"fmt"
	"syscall"
	"testing"

	"freshet/learners/learnertest/stream"
)

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec) + float64(u.Utime.Usec)/1e6 + float64(u.Stime.Sec) + float64(u.Stime.Usec)/1e6
}

func TestCPU(t *testing.T) {
	for _, name := range []string{"elec2", "rbf_m"} {
		d := stream.Load(t, name, 40000)
		n, k := d.Input.Features, d.Classes
		x := make([]float64, 0, n*len(d.X))
		for _, r := range d.X {
			x = append(x, r...)
		}
		p := make([]float64, k*len(d.X))
		for _, batch := range []bool{false, true} {
			f, _ := New(Options{Features: n, Classes: k, Nominal: d.Input.Nominal})
			at := cpu()
			if batch {
				f.TestThenTrain(x, d.Class, nil, p, 1)
			} else {
				stream.Classify(d, f)
			}
			fmt.Printf("CPU %s batch %v: %.0f rows/s\n", name, batch, float64(len(d.X))/(cpu()-at))
		}
	}
}
