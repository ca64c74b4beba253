package simulate

import (
	"encoding/binary"
	"math/rand"
	"strconv"
)

// The fixed numbers of workload W.
const (
	WCards     = 100_000
	WMerchants = 5_000
	WBaseMs    = int64(1767225600000) // 2026-01-01T00:00:00Z
	WSpanMs    = 14 * day
	WMaxLateMs = 5000
)

// WSchema is the Avro schema of Payment.AppendAvro.
const WSchema = `{"type":"record","name":"Tx","fields":[
{"name":"tx_id","type":"string"},{"name":"ts","type":"long"},{"name":"card_id","type":"string"},
{"name":"merchant_id","type":"string"},{"name":"amount","type":"double"},{"name":"lat","type":"double"},
{"name":"lon","type":"double"},{"name":"channel","type":"string"}]}`

// Payment is one event of workload W. Its byte slices are overwritten by the next call of Next with the same Payment.
type Payment struct {
	TxID, CardID, MerchantID []byte
	TsMs                     int64   // Unix milliseconds
	Amount, Lat, Lon         float64 // 2, 5 and 5 decimals
	Channel                  string
}

// W generates workload W, on which freshet is measured against other engines: 100,000 cards (Zipf s 1.1, v 200, the hottest has
// 0.1 %), 5,000 merchants (s 1.1, v 10, the hottest about 2 %), 14 days of event time, each event up to 5 s late, no structure
// beyond that. The same seed and number give the same bytes as every other implementation: it draws from math/rand's first
// generator, whose sequence Go promises to keep, in a fixed order that must not be changed.
type W struct {
	r               *rand.Rand
	cards, merchant *rand.Zipf
	i, n            int64
	card            []int32 // rank -> card number, so that the hot cards are spread over the partitions
}

// NewW returns a generator of n events at its start.
func NewW(seed, n int64) *W {
	r := rand.New(rand.NewSource(seed))
	w := &W{r: r, n: n, card: make([]int32, WCards)}
	for i, p := range r.Perm(WCards) {
		w.card[i] = int32(p)
	}
	w.cards = rand.NewZipf(r, 1.1, 200, WCards-1)
	w.merchant = rand.NewZipf(r, 1.1, 10, WMerchants-1)
	return w
}

var wChannels = [...]string{"ecom", "pos", "atm", "moto"}

// Next fills p with the next event and reports whether there was one. It allocates nothing.
func (w *W) Next(p *Payment) bool {
	if w.i >= w.n {
		return false
	}
	i, r := w.i, w.r
	w.i++
	b := append(appendHex(p.TxID[:0], uint64(i), max(8, hexDigits(uint64(i)))), '-')
	b = append(appendHex(b, uint64(r.Intn(1<<16)), 4), "-4"...)
	b = append(appendHex(b, uint64(r.Intn(1<<12)), 3), "-8"...)
	b = append(appendHex(b, uint64(r.Intn(1<<12)), 3), '-')
	p.TxID = appendHex(b, uint64(r.Int63n(1<<48)), 12)
	p.TsMs = WBaseMs + int64(float64(i)*float64(WSpanMs)/float64(w.n)) - r.Int63n(WMaxLateMs+1)
	p.CardID = appendID(p.CardID[:0], 'c', 7, int(w.card[w.cards.Uint64()]))
	p.MerchantID = appendID(p.MerchantID[:0], 'm', 5, int(w.merchant.Uint64()))
	p.Amount = float64(100+r.Int63n(1+int64(r.ExpFloat64()*6000))) / 100
	p.Lat = float64(r.Intn(18_000_000)-9_000_000) / 100_000
	p.Lon = float64(r.Intn(36_000_000)-18_000_000) / 100_000
	p.Channel = wChannels[r.Intn(4)]
	return true
}

func hexDigits(v uint64) (n int) {
	for ; v > 0; v >>= 4 {
		n++
	}
	return n
}

// AppendJSON appends one JSON object, about 173 bytes, without a line break.
func (p *Payment) AppendJSON(b []byte) []byte {
	b = append(append(b, `{"tx_id":"`...), p.TxID...)
	b = strconv.AppendInt(append(b, `","ts":`...), p.TsMs, 10)
	b = append(append(b, `,"card_id":"`...), p.CardID...)
	b = append(append(b, `","merchant_id":"`...), p.MerchantID...)
	b = strconv.AppendFloat(append(b, `","amount":`...), p.Amount, 'f', 2, 64)
	b = strconv.AppendFloat(append(b, `,"lat":`...), p.Lat, 'f', 5, 64)
	b = strconv.AppendFloat(append(b, `,"lon":`...), p.Lon, 'f', 5, 64)
	b = append(append(b, `,"channel":"`...), p.Channel...)
	return append(b, `"}`...)
}

// AppendAvro appends the record in the binary encoding of WSchema.
func (p *Payment) AppendAvro(b []byte) []byte {
	b = avroString(b, p.TxID)
	b = binary.AppendVarint(b, p.TsMs)
	b = avroString(b, p.CardID)
	b = avroString(b, p.MerchantID)
	b = avroDouble(b, p.Amount)
	b = avroDouble(b, p.Lat)
	b = avroDouble(b, p.Lon)
	return avroString(b, p.Channel)
}
