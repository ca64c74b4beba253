package json

// Nearest returns the candidate that is most like name, for error messages, or "" when none is close. O(len²) each.
func Nearest(name string, candidates []string) string {
	best, bestDist := "", max(2, len(name)/2)+1
	for _, c := range candidates {
		if d := distance(fold(name), fold(c)); d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

func fold(s string) []byte {
	b := []byte(s)
	if len(b) > 200 {
		b = b[:200]
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return b
}

// distance is Levenshtein's.
func distance(a, b []byte) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		prev := row[0]
		row[0] = i + 1
		for j := range b {
			cost := prev
			if a[i] != b[j] {
				cost = 1 + min(prev, row[j], row[j+1])
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
