package simulate

import (
	"encoding/binary"
	"math"
	"strconv"
)

// TransactionSchema and ChargebackSchema are the Avro schemas of what AppendAvro writes.
const (
	TransactionSchema = `{"type":"record","name":"Transaction","namespace":"freshet.simulate","doc":"One card payment","fields":[
{"name":"tx_id","type":"string","doc":"unique"},
{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"event time"},
{"name":"card_id","type":"string"},
{"name":"merchant_id","type":"string"},
{"name":"amount","type":"double","doc":"in the currency, whole cents"},
{"name":"lat","type":"double","doc":"degrees"},
{"name":"lon","type":"double","doc":"degrees"},
{"name":"channel","type":"string","doc":"pos, ecom, atm or moto"},
{"name":"country","type":"string","doc":"ISO 3166 code of where the merchant is"}]}`

	ChargebackSchema = `{"type":"record","name":"Chargeback","namespace":"freshet.simulate","doc":"A report on a payment, later","fields":[
{"name":"tx_id","type":"string","doc":"of the payment"},
{"name":"reported_at","type":{"type":"long","logicalType":"timestamp-millis"},"doc":"event time"},
{"name":"is_fraud","type":"int","doc":"1, or 0 for a dispute that was none"},
{"name":"reason","type":"string"}]}`
)

// AppendJSON appends the event's record as one JSON object, without a line break.
func (e *Event) AppendJSON(b []byte) []byte {
	if e.Kind == KindChargeback {
		return e.Chargeback.AppendJSON(b)
	}
	return e.Tx.AppendJSON(b)
}

// AppendAvro appends the event's record in Avro's binary encoding, without a header.
func (e *Event) AppendAvro(b []byte) []byte {
	if e.Kind == KindChargeback {
		return e.Chargeback.AppendAvro(b)
	}
	return e.Tx.AppendAvro(b)
}

// AppendJSON appends one JSON object with the fields of TransactionSchema; ts in Unix milliseconds.
func (t *Transaction) AppendJSON(b []byte) []byte {
	b = append(append(b, `{"tx_id":"`...), t.TxID...)
	b = strconv.AppendInt(append(b, `","ts":`...), t.TsMs, 10)
	b = append(append(b, `,"card_id":"`...), t.CardID...)
	b = append(append(b, `","merchant_id":"`...), t.MerchantID...)
	b = strconv.AppendFloat(append(b, `","amount":`...), t.Amount, 'f', 2, 64)
	b = strconv.AppendFloat(append(b, `,"lat":`...), t.Lat, 'f', 5, 64)
	b = strconv.AppendFloat(append(b, `,"lon":`...), t.Lon, 'f', 5, 64)
	b = append(append(b, `,"channel":"`...), t.Channel...)
	b = append(append(b, `","country":"`...), t.Country...)
	return append(b, `"}`...)
}

// AppendAvro appends the record in the binary encoding of TransactionSchema.
func (t *Transaction) AppendAvro(b []byte) []byte {
	b = avroString(b, t.TxID)
	b = binary.AppendVarint(b, t.TsMs) // Avro's zigzag is encoding/binary's
	b = avroString(b, t.CardID)
	b = avroString(b, t.MerchantID)
	b = avroDouble(b, t.Amount)
	b = avroDouble(b, t.Lat)
	b = avroDouble(b, t.Lon)
	b = avroString(b, t.Channel)
	return avroString(b, t.Country)
}

// AppendJSON appends one JSON object with the fields of ChargebackSchema; reported_at in Unix milliseconds.
func (c *Chargeback) AppendJSON(b []byte) []byte {
	b = append(append(b, `{"tx_id":"`...), c.TxID...)
	b = strconv.AppendInt(append(b, `","reported_at":`...), c.ReportedAtMs, 10)
	b = strconv.AppendInt(append(b, `,"is_fraud":`...), int64(c.IsFraud), 10)
	b = append(append(b, `,"reason":"`...), c.Reason...)
	return append(b, `"}`...)
}

// AppendAvro appends the record in the binary encoding of ChargebackSchema.
func (c *Chargeback) AppendAvro(b []byte) []byte {
	b = avroString(b, c.TxID)
	b = binary.AppendVarint(b, c.ReportedAtMs)
	b = binary.AppendVarint(b, int64(c.IsFraud))
	return avroString(b, c.Reason)
}

func avroString[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

func avroDouble(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}
