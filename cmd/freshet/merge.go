package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"freshet/schemas"
)

// merged yields the records of several inputs in event-time order over all of them. Within a file the order stays as it is: a record
// that is older than one before it comes right after that one, as it did when the file was written. O(inputs) a record.
type merged struct{ heads []*head }

// head is the next record of one input.
type head struct {
	*input
	batch    *schemas.Batch // one row
	progress int64          // largest event time so far in this file
	json     []byte
	keySlot  int
}

// mergeInputs reads the first record of each input.
func mergeInputs(ins []*input) (*merged, error) {
	m := &merged{}
	for _, in := range ins {
		field := in.stream.Spec.KeyedBy
		if field == "" {
			field = in.stream.Spec.ID
		}
		h := &head{input: in, batch: schemas.NewBatch(in.stream.Wire, 1), progress: math.MinInt64, keySlot: textColumn(in.stream, field)}
		if h.keySlot < 0 && field != "" {
			return nil, usagef("--input %s: records are keyed by %s, which the pipeline does not read as text: name it as an id or entity key", in.stream.Name, field)
		}
		ok, err := h.read()
		if err != nil {
			return nil, err
		}
		if ok {
			m.heads = append(m.heads, h)
		}
	}
	return m, nil
}

func (h *head) read() (bool, error) {
	h.batch.Reset()
	n, err := h.Next(h.batch, 1)
	switch {
	case errors.Is(err, io.EOF) || err == nil && n == 0:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("input %s: %w", h.stream.Name, err)
	}
	h.progress = max(h.progress, h.batch.Time[0])
	h.json = h.AppendJSON(h.json[:0])
	return true, nil
}

func (h *head) timeMs() int64 { return h.batch.Time[0] }

// key is the record's key in its topic; nil where it has none.
func (h *head) key() []byte {
	if h.keySlot < 0 {
		return nil
	}
	return h.batch.Str[h.keySlot][0]
}

// peek returns the next record, nil at the end. Of inputs that are equally far the first one given comes first. It is lent until
// the call of pop.
func (m *merged) peek() *head {
	var first *head
	for _, h := range m.heads {
		if first == nil || h.progress < first.progress {
			first = h
		}
	}
	return first
}

// pop goes on behind the record that peek returned.
func (m *merged) pop(h *head) error {
	ok, err := h.read()
	if err != nil || ok {
		return err
	}
	for i := range m.heads {
		if m.heads[i] == h {
			m.heads = append(m.heads[:i], m.heads[i+1:]...)
			break
		}
	}
	return nil
}
