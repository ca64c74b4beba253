package exchange

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is an ONNX protobuf message in the making (onnx.proto of ONNX 1.16; field numbers are named where they are
// used).
type message []byte

func (m *message) int(field protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, field, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendTag(*m, field, protowire.BytesType)
	*m = protowire.AppendBytes(*m, b)
}

func (m *message) text(field protowire.Number, s string) { m.bytes(field, []byte(s)) }

func (m *message) ints(field protowire.Number, v []int64) {
	var packed []byte
	for _, i := range v {
		packed = protowire.AppendVarint(packed, uint64(i))
	}
	m.bytes(field, packed)
}

// Element types of tensors (TensorProto.DataType).
const (
	typeInt64  = 7
	typeDouble = 11
)

// tensor is a TensorProto: dims 1, data_type 2, name 8, raw_data 9.
func tensor(name string, dims []int64, kind int64, raw []byte) message {
	var t message
	t.ints(1, dims)
	t.int(2, kind)
	t.text(8, name)
	t.bytes(9, raw)
	return t
}

func doubles(name string, v []float64, dims ...int64) message {
	raw := make([]byte, 0, 8*len(v))
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(f))
	}
	return tensor(name, dims, typeDouble, raw)
}

func longs(name string, v []int64, dims ...int64) message {
	raw := make([]byte, 0, 8*len(v))
	for _, i := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
	}
	return tensor(name, dims, typeInt64, raw)
}

// attribute is an AttributeProto: name 1, i 3, t 5, ints 8, strings 9, type 20.
type attribute struct{ message }

func attr(name string, kind int64) attribute {
	var a attribute
	a.text(1, name)
	a.int(20, kind)
	return a
}

func attrInt(name string, v int64) attribute {
	a := attr(name, 2)
	a.int(3, v)
	return a
}

func attrTensor(name string, t message) attribute {
	a := attr(name, 4)
	a.bytes(5, t)
	return a
}

func attrInts(name string, v []int64) attribute {
	a := attr(name, 7)
	a.ints(8, v)
	return a
}

func attrTexts(name string, v []string) attribute {
	a := attr(name, 8)
	for _, s := range v {
		a.text(9, s)
	}
	return a
}

// graph is a GraphProto in the making: nodes 1, name 2, initializers 5, inputs 11, outputs 12.
type graph struct {
	nodes, tensors, ends message
	classes              int
	hasAxis              bool
}

// node adds a NodeProto: inputs 1, outputs 2, name 3, op_type 4, attributes 5, domain 7. It returns its first output.
func (g *graph) node(domain, op string, in, out []string, attrs ...attribute) string {
	var n message
	for _, s := range in {
		n.text(1, s)
	}
	for _, s := range out {
		n.text(2, s)
	}
	n.text(3, out[0])
	n.text(4, op)
	for _, a := range attrs {
		n.bytes(5, a.message)
	}
	if domain != "" {
		n.text(7, domain)
	}
	g.nodes.bytes(1, n)
	return out[0]
}

// op adds a node of the standard domain with one output.
func (g *graph) op(op, out string, in []string, attrs ...attribute) string {
	return g.node("", op, in, []string{out}, attrs...)
}

func (g *graph) doubles(name string, v []float64, dims ...int64) string {
	g.tensors.bytes(5, doubles(name, v, dims...))
	return name
}

func (g *graph) longs(name string, v []int64, dims ...int64) string {
	g.tensors.bytes(5, longs(name, v, dims...))
	return name
}

// end names an input (field 11) or an output (12): a tensor of rows by columns (0: rows only).
func (g *graph) end(field protowire.Number, name string, kind, columns int64) {
	var rows, cols, shape, t, typ, v message
	rows.text(2, "rows")
	shape.bytes(1, rows)
	if columns > 0 {
		cols.int(1, columns)
		shape.bytes(1, cols)
	}
	t.int(1, kind)
	t.bytes(2, shape)
	typ.bytes(1, t)
	v.text(1, name)
	v.bytes(2, typ)
	g.ends.bytes(field, v)
}

// model is the whole file, a ModelProto: ir_version 1, producer 2 and 3, graph 7, opset_import 8, metadata 14.
func (g *graph) model(metadata [][2]string) []byte {
	var all, m message
	all = append(all, g.nodes...)
	all.text(2, "freshet")
	all = append(all, g.tensors...)
	all = append(all, g.ends...)
	m.int(1, 8)
	m.text(2, "freshet")
	m.bytes(7, all)
	for _, o := range []struct {
		domain  string
		version int64
	}{{"", 17}, {mlDomain, 3}} {
		var op message
		op.text(1, o.domain)
		op.int(2, o.version)
		m.bytes(8, op)
	}
	for _, kv := range metadata {
		var e message
		e.text(1, kv[0])
		e.text(2, kv[1])
		m.bytes(14, e)
	}
	return m
}
