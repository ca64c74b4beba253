package streams

import (
	"encoding/binary"
	"math"

	"freshet/features/expr"
)

// appendRow writes the columns of one input that are in env: numbers as 8 bytes, strings as length + 1 (0 = null) and bytes.
// It is the form of rows that wait in state; the columns are known from the pipeline.
func appendRow(dst []byte, nums, strs []ColMap, env *expr.Env) []byte {
	for _, m := range nums {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(env.Num[m.To]))
	}
	for _, m := range strs {
		v := env.Str[m.To]
		if v == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(v))+1)
		dst = append(dst, v...)
	}
	return dst
}

// readRow puts what appendRow wrote into env and returns what follows it; strings alias p. ok is false for bytes that are not such a row.
func readRow(p []byte, nums, strs []ColMap, env *expr.Env) (rest []byte, ok bool) {
	if len(p) < 8*len(nums) {
		return nil, false
	}
	for _, m := range nums {
		env.Num[m.To] = math.Float64frombits(binary.LittleEndian.Uint64(p))
		p = p[8:]
	}
	for _, m := range strs {
		n, k := binary.Uvarint(p)
		if k <= 0 || n > uint64(len(p)-k)+1 {
			return nil, false
		}
		p = p[k:]
		if n == 0 {
			env.Str[m.To] = nil
			continue
		}
		env.Str[m.To] = p[: n-1 : n-1]
		p = p[n-1:]
	}
	return p, true
}
