package simulate

import "strconv"

// Kind says which of its records an Event holds.
type Kind uint8

const (
	KindTransaction Kind = iota + 1
	KindChargeback
)

// Fraud is the truth about a transaction. It is for tests and reports; no record carries it.
type Fraud uint8

const (
	Honest Fraud = iota
	Stolen
	Compromised
	Testing
	Takeover
	Night
	Frauds // how many there are, Honest included
)

func (f Fraud) String() string {
	if int(f) < len(fraudNames) {
		return fraudNames[f]
	}
	return "fraud(" + strconv.Itoa(int(f)) + ")"
}

var fraudNames = [Frauds]string{"honest", "stolen", "compromised", "testing", "takeover", "night"}

// Event is one record on its way to a log. Its byte slices are its own: they are overwritten by the next call of Next with the
// same Event, and by nothing else.
type Event struct {
	Kind       Kind
	ArrivalMs  int64       // when it reaches the log, Unix milliseconds; never falls from one event to the next
	Tx         Transaction // valid if Kind is KindTransaction
	Chargeback Chargeback  // valid if Kind is KindChargeback
}

// Transaction is one card payment.
type Transaction struct {
	TxID       []byte  // 18 bytes, unique
	TsMs       int64   // event time, Unix milliseconds
	CardID     []byte  // "c" and 7 digits
	MerchantID []byte  // "m" and 5 digits
	Amount     float64 // in the currency, whole cents, >= 0.01
	Lat, Lon   float64 // degrees, 5 decimals
	Channel    string  // pos, ecom, atm, moto
	Country    string  // ISO 3166 code of where the merchant is
	Fraud      Fraud   // the truth; not part of the record
}

// Chargeback reports on a transaction, later.
type Chargeback struct {
	TxID         []byte // of the transaction
	ReportedAtMs int64  // event time, Unix milliseconds
	IsFraud      int    // 1, or 0 for a dispute that was none
	Reason       string // stolen, counterfeit, card_testing, account_takeover, online, first_party, dispute
}

// pending is an event that has happened and not yet arrived, in 56 bytes.
type pending struct {
	arrival, ts    int64 // ms
	seq            uint64
	card, merchant int32
	cents          int32
	lat, lon       int32 // 1e-5 degrees
	channel        uint8
	country        uint8
	fraud          Fraud
	reason         uint8 // 0: a transaction; else 1 + index into reasons
}

var (
	channels = [...]string{"pos", "ecom", "atm", "moto"}
	reasons  = [...]string{"dispute", "first_party", "stolen", "counterfeit", "card_testing", "account_takeover", "online"}
)

const (
	pos, ecom, atm, moto = 0, 1, 2, 3
	dispute, firstParty  = 0, 1 // in reasons; the kinds of fraud follow in their order
)

func (e *Event) fill(p *pending, salt uint64) {
	e.ArrivalMs = p.arrival
	if p.reason > 0 {
		e.Kind = KindChargeback
		c := &e.Chargeback
		c.TxID = appendTxID(c.TxID[:0], p.seq, salt)
		c.ReportedAtMs, c.Reason, c.IsFraud = p.ts, reasons[p.reason-1], 1
		if p.reason-1 == dispute {
			c.IsFraud = 0
		}
		return
	}
	e.Kind = KindTransaction
	t := &e.Tx
	t.TxID = appendTxID(t.TxID[:0], p.seq, salt)
	t.CardID = appendID(t.CardID[:0], 'c', 7, int(p.card))
	t.MerchantID = appendID(t.MerchantID[:0], 'm', 5, int(p.merchant))
	t.TsMs, t.Channel, t.Country, t.Fraud = p.ts, channels[p.channel], countries[p.country], p.fraud
	// Divisions of whole numbers, so that each is the double nearest to its decimal form.
	t.Amount, t.Lat, t.Lon = float64(p.cents)/100, float64(p.lat)/1e5, float64(p.lon)/1e5
}

func appendTxID(b []byte, seq, salt uint64) []byte {
	return appendHex(append(b, "t-"...), mix(seq^salt), 16)
}

// appendHex appends the lowest digits of v in hexadecimal.
func appendHex(b []byte, v uint64, digits int) []byte {
	for s := 4 * (digits - 1); s >= 0; s -= 4 {
		b = append(b, "0123456789abcdef"[v>>s&15])
	}
	return b
}

// appendID appends a letter and n >= 0 in at least the given number of digits.
func appendID(b []byte, letter byte, digits, n int) []byte {
	b = append(b, letter)
	for p, d := 10, 1; d < digits; p, d = p*10, d+1 {
		if n < p {
			b = append(b, "0000000000"[:digits-d]...)
			break
		}
	}
	return strconv.AppendInt(b, int64(n), 10)
}
