package simulate

import (
	"encoding/json"
	"testing"
	"time"
)

// Hashes (FNV-1a, 64 bits) of whole sequences, as the tests that use them say.
const (
	wantCards = 0x140fc93e4a73be5f
	wantW     = 0x6a2f2d04493151b9
)

// checkJSON compares a JSON object with the values that goavro read from the same event.
func checkJSON(t *testing.T, text []byte, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d fields, want %d", text, len(got), len(want))
	}
	for k, w := range want {
		switch v := w.(type) {
		case time.Time:
			w = float64(v.UnixMilli())
		case int32:
			w = float64(v)
		}
		if got[k] != w {
			t.Fatalf("%s: field %s is %v, want %v", text, k, got[k], w)
		}
	}
}
