package state

import (
	"encoding/binary"
	"fmt"
)

// FormatVersion is the version of the layout in FORMAT.md that this package writes and the newest that it reads.
const FormatVersion = 1

// The first byte of a key. FORMAT.md is the description; these are the numbers.
const (
	spaceMeta  = 0x00 // + name
	spaceTasks = 0x01 // + id u32
	spaceData  = 0x02 // + id u32 + kind + ...
)

// The byte after a task's id.
const (
	kindPosition = 0x00
	kindBlob     = 0x01 // + name
	kindTable    = 0x02 // + len(name) u8 + name + key
	kindMap      = 0x03 // + len(name) u8 + name + key
)

const (
	maxName = 255     // bytes of a stage's, table's, map's or blob's name
	maxKey  = 1 << 16 // bytes of an entity's or record's key
)

var (
	keyFormat = []byte{spaceMeta, 'f', 'o', 'r', 'm', 'a', 't'}
	keyNextID = []byte{spaceMeta, 'n', 'e', 'x', 't'}
)

func taskKey(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{spaceTasks}, id)
}

// dataPrefix is the start of all keys of a task; dataPrefix(id+1) is its end. Ids stay below 1<<32-1, so that exists.
func dataPrefix(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{spaceData}, id)
}

func collectionPrefix(id uint32, kind byte, name string) []byte {
	if len(name) == 0 || len(name) > maxName {
		panic(fmt.Sprintf("BUG: the name of a table or map has %d bytes; expected 1 to %d", len(name), maxName))
	}
	p := append(dataPrefix(id), kind, byte(len(name)))
	return append(p, name...)
}

func blobKey(id uint32, name string) []byte {
	if len(name) > maxName {
		panic(fmt.Sprintf("BUG: the name of a blob has %d bytes; expected at most %d", len(name), maxName))
	}
	return append(append(dataPrefix(id), kindBlob), name...)
}

// after is the smallest key behind all keys that start with p. p is never all 0xff: its first byte is a space.
func after(p []byte) []byte {
	q := append([]byte(nil), p...)
	for i := len(q) - 1; ; i-- {
		if q[i]++; q[i] != 0 {
			return q[:i+1]
		}
	}
}

func appendTask(dst []byte, stage string, partition int32) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(partition)), stage...)
}

func readTask(b []byte) (stage string, partition int32, err error) {
	if len(b) < 5 {
		return "", 0, fmt.Errorf("task record has %d bytes; expected 5 or more", len(b))
	}
	return string(b[4:]), int32(binary.BigEndian.Uint32(b)), nil
}

const positionBytes = 24

func appendPosition(dst []byte, p Position) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Offset))
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.Low))
	return binary.BigEndian.AppendUint64(dst, p.Seq)
}

func readPosition(b []byte) (p Position, err error) {
	if len(b) != positionBytes {
		return p, fmt.Errorf("position has %d bytes; expected %d", len(b), positionBytes)
	}
	p = Position{
		Offset: int64(binary.BigEndian.Uint64(b)),
		Low:    int64(binary.BigEndian.Uint64(b[8:])),
		Seq:    binary.BigEndian.Uint64(b[16:]),
	}
	if p.Low > p.Offset {
		return p, fmt.Errorf("position has low %d above offset %d", p.Low, p.Offset)
	}
	return p, nil
}
