package models

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"freshet/learners/wire"
)

func sample(version uint64) Snapshot {
	return Snapshot{Name: "champion", Version: version, Learner: "logistic(rate=0.05)", SchemaFingerprint: 1 << 63, Classes: 2, Partition: 3,
		Examples: 1000 * version, EventTimeMs: 1700000000000, Offset: 77, Trained: Range{0, 77, -5, 1700000000000}, Bytes: []byte{1, 2, 3}}
}

func TestSnapshotRoundTrip(t *testing.T) {
	a := sample(1)
	b, err := a.AppendBinary([]byte("prefix"))
	if err != nil {
		t.Fatal(err)
	}
	var c Snapshot
	if err := c.UnmarshalBinary(b[len("prefix"):]); err != nil || !reflect.DeepEqual(a, c) {
		t.Fatalf("%+v, %v", c, err)
	}
	good := b[len("prefix"):]
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if err := c.UnmarshalBinary(bad); err == nil {
			t.Fatalf("a flipped bit in byte %d was not noticed", i)
		}
		if err := c.UnmarshalBinary(good[:i]); !errors.Is(err, wire.ErrDamaged) {
			t.Fatalf("cut after %d: %v", i, err)
		}
	}
	if !reflect.DeepEqual(a, c) {
		t.Fatal("refused bytes changed the snapshot")
	}
	if err := c.UnmarshalBinary([]byte("PK\x03\x04 is another format")); err == nil || !strings.Contains(err.Error(), "starts with 50 4b 03 04") {
		t.Fatal(err)
	}
	for _, bad := range []Snapshot{{}, {Name: "a"}, {Name: "a", Version: 1}, {Name: "a", Version: 1, Learner: "l", Classes: 1}} {
		if _, err := bad.AppendBinary(nil); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
}

func FuzzSnapshot(f *testing.F) {
	a := sample(1)
	b, _ := a.AppendBinary(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4 {
			data = wire.Seal(append([]byte(nil), data[:len(data)-4]...), 0)
		}
		var s Snapshot
		if s.UnmarshalBinary(data) != nil {
			return
		}
		again, err := s.AppendBinary(nil)
		var u Snapshot
		if err != nil || u.UnmarshalBinary(again) != nil || !bytes.Equal(u.Bytes, s.Bytes) || u.Name != s.Name {
			t.Fatalf("%+v does not round-trip: %v", s, err)
		}
	})
}

func TestSet(t *testing.T) {
	s := NewSet(2)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Add("champion", Champion))
	must(s.Add("rival", Challenger))
	if s.Add("third", Champion) == nil || s.Add("rival", Challenger) == nil {
		t.Fatal("a second champion or name was accepted")
	}
	if s.Promote("rival") == nil {
		t.Fatal("a model without a snapshot was promoted")
	}
	for v := uint64(1); v <= 3; v++ {
		if ok, err := s.Offer(sample(v)); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if ok, _ := s.Offer(sample(2)); ok {
		t.Fatal("an older snapshot replaced a newer one")
	}
	if got := s.Versions("champion"); len(got) != 2 || got[0].Number != 3 || got[1].Examples != 2000 {
		t.Fatal(got)
	}
	must(s.RollBack("champion"))
	if n, _ := s.Serving("champion"); n.Version != 2 {
		t.Fatal(n.Version)
	}
	if s.RollBack("champion") == nil {
		t.Fatal("rolled back beyond what is kept")
	}
	if ok, _ := s.Offer(sample(3)); ok {
		t.Fatal("the rolled back snapshot came back")
	}
	if ok, _ := s.Offer(sample(4)); !ok {
		t.Fatal("a new snapshot was refused")
	}
	if n, _ := s.Serving("champion"); n.Version != 4 {
		t.Fatal(n.Version)
	}
	n := sample(1)
	n.Name = "rival"
	if _, err := s.Offer(n); err != nil {
		t.Fatal(err)
	}
	must(s.Promote("rival"))
	if c, _ := s.Champion(); c != "rival" {
		t.Fatal(c)
	}
	if r, _ := s.Role("champion"); r != Challenger || r.String() != "challenger" {
		t.Fatal(r)
	}
	if _, err := s.Offer(Snapshot{Name: "ghost"}); err == nil {
		t.Fatal("an unknown model was accepted")
	}
	if _, err := ParseRole("king"); err == nil {
		t.Fatal("role king")
	}
}
