package simulate

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand"
	"reflect"
	"testing"

	"github.com/linkedin/goavro/v2"
)

// oracleW is workload W as it was first written, with fmt: what the other engines were measured on.
type oracleW struct {
	r      *rand.Rand
	cz, mz *rand.Zipf
	i, n   int64
	cards  []int32
}

func newOracleW(seed, n int64) *oracleW {
	r := rand.New(rand.NewSource(seed))
	g := &oracleW{r: r, n: n, cards: make([]int32, WCards)}
	for i, p := range r.Perm(WCards) {
		g.cards[i] = int32(p)
	}
	g.cz = rand.NewZipf(r, 1.1, 200, WCards-1)
	g.mz = rand.NewZipf(r, 1.1, 10, WMerchants-1)
	return g
}

func (g *oracleW) next() string {
	i := g.i
	g.i++
	id := fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", i, g.r.Intn(1<<16), g.r.Intn(1<<12), g.r.Intn(1<<12), g.r.Int63n(1<<48))
	ts := WBaseMs + int64(float64(i)*float64(WSpanMs)/float64(g.n)) - g.r.Int63n(WMaxLateMs+1)
	card := fmt.Sprintf("c%07d", g.cards[g.cz.Uint64()])
	merchant := fmt.Sprintf("m%05d", g.mz.Uint64())
	amount := float64(100+g.r.Int63n(1+int64(g.r.ExpFloat64()*6000))) / 100
	lat := float64(g.r.Intn(18_000_000)-9_000_000) / 100_000
	lon := float64(g.r.Intn(36_000_000)-18_000_000) / 100_000
	return fmt.Sprintf(`{"tx_id":"%s","ts":%d,"card_id":"%s","merchant_id":"%s","amount":%.2f,"lat":%.5f,"lon":%.5f,"channel":"%s"}`,
		id, ts, card, merchant, amount, lat, lon, []string{"ecom", "pos", "atm", "moto"}[g.r.Intn(4)])
}

func TestWEqualsOracle(t *testing.T) {
	const n = 50_000
	w, o := NewW(42, n), newOracleW(42, n)
	var p Payment
	var b []byte
	sum := 0
	for i := range n {
		if !w.Next(&p) {
			t.Fatalf("ends at event %d of %d", i, n)
		}
		b = p.AppendJSON(b[:0])
		sum += len(b)
		if want := o.next(); string(b) != want {
			t.Fatalf("event %d:\n got %s\nwant %s", i, b, want)
		}
	}
	if w.Next(&p) {
		t.Error("goes on after the last event")
	}
	if mean := float64(sum) / n; mean < 172 || mean > 174 {
		t.Errorf("mean size %.1f bytes, want about 173", mean)
	}
}

// The sequence must never change, or measurements made at different times cannot be compared.
func TestWGolden(t *testing.T) {
	w, h := NewW(42, 2_000_000), fnv.New64a()
	var p Payment
	var b []byte
	for range 20_000 {
		w.Next(&p)
		b = p.AppendJSON(b[:0])
		h.Write(b)
	}
	if got, want := h.Sum64(), uint64(wantW); got != want {
		t.Errorf("hash of the first 20,000 events is %#x, want %#x", got, want)
	}
}

func TestWAvro(t *testing.T) {
	codec, err := goavro.NewCodec(WSchema)
	if err != nil {
		t.Fatal(err)
	}
	w := NewW(7, 300)
	var p Payment
	for w.Next(&p) {
		v, rest, err := codec.NativeFromBinary(p.AppendAvro(nil))
		if err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d bytes left over", err, len(rest))
		}
		want := map[string]any{"tx_id": string(p.TxID), "ts": p.TsMs, "card_id": string(p.CardID), "merchant_id": string(p.MerchantID),
			"amount": p.Amount, "lat": p.Lat, "lon": p.Lon, "channel": p.Channel}
		if !reflect.DeepEqual(v, want) {
			t.Fatalf("got %v, want %v", v, want)
		}
	}
}

func TestIDs(t *testing.T) {
	for _, n := range []int{0, 7, 10, 99, 100, 99_999, 100_000, 1_234_567, 12_345_678} {
		for _, digits := range []int{5, 7} {
			if got, want := appendID(nil, 'c', digits, n), fmt.Sprintf("c%0*d", digits, n); string(got) != want {
				t.Errorf("appendID(%d, %d) = %s, want %s", digits, n, got, want)
			}
		}
		if got, want := appendHex(nil, uint64(n), 12), fmt.Sprintf("%012x", n); !bytes.Equal(got, []byte(want)) {
			t.Errorf("appendHex(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestWNoAllocation(t *testing.T) {
	w := NewW(1, 1<<40)
	var p Payment
	b := make([]byte, 0, 512)
	w.Next(&p)
	if n := testing.AllocsPerRun(2000, func() {
		w.Next(&p)
		b = p.AppendAvro(p.AppendJSON(b[:0]))
	}); n != 0 {
		t.Errorf("%v allocations an event, want 0", n)
	}
}

func BenchmarkW(b *testing.B) {
	w := NewW(1, 1<<40)
	var p Payment
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		w.Next(&p)
		buf = p.AppendJSON(buf[:0])
	}
}
