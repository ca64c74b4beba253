package json

import (
	"unicode/utf16"
	"unicode/utf8"

	"freshet/schemas"
)

func space(s []byte, i int) int {
	for i < len(s) && s[i] <= ' ' && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

func literal(s []byte, i int, word string) (int, *schemas.Poison) {
	if len(s)-i < len(word) && string(s[i:]) == word[:len(s)-i] {
		return 0, truncated(len(s))
	}
	if len(s)-i < len(word) || string(s[i:i+len(word)]) != word {
		return 0, poison("bad_json", i, "expected "+word)
	}
	return i + len(word), nil
}

// scanString checks the string whose quote is at s[i] and returns the place after its closing quote. escaped is true
// when its bytes are not yet its value: it holds escapes, or bytes that are not UTF-8.
func scanString(s []byte, i int) (end int, escaped bool, err *schemas.Poison) {
	j, ascii := i+1, true
	for ; j < len(s); j++ {
		switch c := s[j]; {
		case c == '"':
			if !ascii && !escaped {
				escaped = !utf8.Valid(s[i+1 : j])
			}
			return j + 1, escaped, nil
		case c >= utf8.RuneSelf:
			ascii = false
		case c < 0x20:
			return 0, false, poison("bad_json", j, "a control character within a string")
		case c == '\\':
			escaped = true
			if j++; j >= len(s) {
				return 0, false, truncated(j)
			}
			switch s[j] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for n := 1; n <= 4; n++ {
					if j+n >= len(s) {
						return 0, false, truncated(len(s))
					}
					if hexValue(s[j+n]) < 0 {
						return 0, false, poison("bad_json", j+n, "expected four hexadecimal digits after \\u")
					}
				}
				j += 4
			default:
				return 0, false, poison("bad_json", j, "unknown escape \\"+string(rune(s[j])))
			}
		}
	}
	return 0, false, truncated(j)
}

func hexValue(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c - 'a' + 10)
	case c >= 'A' && c <= 'F':
		return rune(c - 'A' + 10)
	}
	return -1
}

// unescape makes the batch's own copy of a checked string's value.
func (d *decoder) unescape(raw []byte) []byte {
	if !utf8.Valid(raw) {
		// Each stray byte becomes three, so this grows; it is rare and may allocate.
		fixed := make([]byte, 0, 3*len(raw))
		for i := 0; i < len(raw); {
			r, n := utf8.DecodeRune(raw[i:])
			fixed = utf8.AppendRune(fixed, r)
			i += n
		}
		raw = fixed
	}
	return unescape(d.b.Own(raw))
}

// unescape resolves the escapes of a checked string in place: no escape is shorter than what it stands for.
func unescape(s []byte) []byte {
	w := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			s[w] = c
			w++
			i++
			continue
		}
		c = s[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := rune4(s[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(s)-i >= 6 && s[i] == '\\' && s[i+1] == 'u' {
					low = rune4(s[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			w += utf8.EncodeRune(s[w:w+utf8.RuneLen(r)], r)
			continue
		}
		s[w] = c
		w++
	}
	return s[:w:w]
}

func rune4(s []byte) rune {
	return hexValue(s[0])<<12 | hexValue(s[1])<<8 | hexValue(s[2])<<4 | hexValue(s[3])
}

// Classes of bytes within a value that is skipped.
const (
	plain = iota
	quote
	open
	closing
)

var class = [256]uint8{'"': quote, '{': open, '[': open, '}': closing, ']': closing}

// skip passes over the value at s[i], which is nested depth deep.
func (d *decoder) skip(i, depth int) (int, *schemas.Poison) {
	s := d.s
	switch c := s[i]; {
	case c == '"':
		return skipString(s, i)
	case c == '{' || c == '[':
	case c == '-' || c-'0' <= 9 || c == 't' || c == 'f' || c == 'n':
		for i < len(s) && s[i] > ' ' && s[i] != ',' && s[i] != '}' && s[i] != ']' {
			i++
		}
		return i, nil
	default:
		return 0, poison("bad_json", i, "expected a value, found "+quoteByte(c))
	}
	var stack [512 / 64]uint64 // one bit a level: 1 for an object
	level := 0
	for i < len(s) {
		switch class[s[i]] {
		case plain:
			i++
		case quote:
			var err *schemas.Poison
			if i, err = skipString(s, i); err != nil {
				return 0, err
			}
		case open:
			if depth+level >= d.p.maxDepth {
				return 0, poison("too_deep", i, "objects and arrays are nested deeper than the limit")
			}
			bit := uint64(1) << (level & 63)
			stack[level>>6] &^= bit
			if s[i] == '{' {
				stack[level>>6] |= bit
			}
			level++
			i++
		case closing:
			level--
			if (s[i] == '}') != (stack[level>>6]>>(level&63)&1 == 1) {
				return 0, poison("bad_json", i, "a bracket that closes another kind of bracket")
			}
			i++
			if level == 0 {
				return i, nil
			}
		}
	}
	return 0, truncated(i)
}

func skipString(s []byte, i int) (int, *schemas.Poison) {
	for i++; i < len(s); i++ {
		if s[i] == '"' {
			return i + 1, nil
		}
		if s[i] == '\\' {
			i++
		}
	}
	return 0, truncated(len(s))
}
