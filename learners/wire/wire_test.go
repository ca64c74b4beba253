package wire

import (
	"errors"
	"testing"
)

func sample() []byte {
	b := Begin(nil, "kind", 2)
	b = Uint(b, 300)
	b = Int(b, -5)
	b = Floats(b, []float64{1, 2.5})
	b = String(b, "text")
	b = Bool(b, true)
	return Seal(b, 0)
}

func read(data []byte) error {
	r, _, err := Open(data, "kind", 2)
	if err != nil {
		return err
	}
	r.Uint(1000)
	r.Int()
	r.Floats(10)
	_ = r.String(10)
	r.Bool()
	return r.Close()
}

func TestRoundTripAndDamage(t *testing.T) {
	good := sample()
	if err := read(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x40
		if err := read(bad); err == nil {
			t.Errorf("bit flip in byte %d was not noticed", i)
		}
		if err := read(good[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut after %d bytes: %v", i, err)
		}
	}
	if _, _, err := Open(good, "other", 2); err == nil {
		t.Error("another kind was accepted")
	}
	if _, _, err := Open(good, "kind", 1); err == nil {
		t.Error("a newer version was accepted")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = read(data)
		_ = read(Seal(append([]byte(nil), data...), 0)) // a right checksum over anything
	})
}
