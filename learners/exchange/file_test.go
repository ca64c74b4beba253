package exchange

import (
	"reflect"
	"testing"

	"freshet/learners/contract"
	"freshet/learners/wire"
)

func TestFile(t *testing.T) {
	f := File{Learner: "logistic(rate=0.05)", Classes: 2, Input: contract.Input{Features: 2, Nominal: []contract.Nominal{{Feature: 1, Categories: 3}}, Names: []string{"a", "b"}},
		Codes: [][]string{nil, {"x", "y", "z"}}, Labels: []string{"no", "yes"}, Rows: 7, State: []byte{1, 2, 3}}
	b, err := f.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var g File
	if err := g.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(f, g) {
		t.Fatalf("%+v, %v", g, err)
	}
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 1
		if g.UnmarshalBinary(bad) == nil {
			t.Fatalf("a flipped bit in byte %d was not noticed", i)
		}
		if g.UnmarshalBinary(b[:i]) == nil {
			t.Fatalf("cut after %d: not noticed", i)
		}
	}
	if !reflect.DeepEqual(f, g) {
		t.Fatal("refused bytes changed the file")
	}
}

func FuzzFile(f *testing.F) {
	one := File{Learner: "l", Input: contract.Input{Features: 1}}
	b, _ := one.AppendBinary(nil)
	f.Add(b[:len(b)-4])
	f.Fuzz(func(t *testing.T, data []byte) {
		var g File
		_ = g.UnmarshalBinary(wire.Seal(append([]byte(nil), data...), 0))
	})
}
