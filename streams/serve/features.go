package serve

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"freshet/features"
	"freshet/schemas/json"
	"freshet/streams"
)

// features answers GET /v1/features/{entity}/{key}?at=...
func (s *Server) features(w http.ResponseWriter, q *http.Request) {
	entity := q.PathValue("entity")
	fields := []string(nil)
	if len(s.o.Entities) > 0 {
		e, names := s.entity(entity)
		if e == nil {
			fail(w, http.StatusNotFound, "unknown_entity", fmt.Sprintf("no entity %q in this pipeline, expected one of %s", entity, strings.Join(names, ", ")),
				json.Nearest(entity, names))
			return
		}
		fields = e.Fields
	}
	key, err := keyOf(q.URL.EscapedPath(), fields)
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_key", err.Error(), "")
		return
	}
	at, err := s.timeOf(q.URL.Query())
	if err != nil {
		failAt(w, http.StatusBadRequest, "bad_time", err.Error(), "", "at")
		return
	}
	source := "state"
	v, err := s.b.Features(entity, key, at)
	if errors.Is(err, streams.ErrNotFound) && s.o.Stored != nil {
		source = "online"
		v, err = s.o.Stored(q.Context(), entity, key, at)
	}
	switch {
	case errors.Is(err, streams.ErrNotFound):
		fail(w, http.StatusNotFound, "not_found", fmt.Sprintf("nothing is known of %s %q", entity, key), "")
		return
	case err != nil:
		s.trouble(w, q, err)
		return
	}
	if at >= 0 && v.LastMs != features.NoEvent && at < v.LastMs {
		b := json.AppendTime(append(json.AppendTime([]byte("at is "), at), ", before the entity's newest event at "...), v.LastMs)
		failAt(w, http.StatusBadRequest, "bad_time", string(append(b, ": only the present and what follows from it is kept"...)), "", "at")
		return
	}
	answer(w, http.StatusOK, appendView(nil, &v, source))
}

func appendView(b []byte, v *streams.View, source string) []byte {
	known := v.LastMs != features.NoEvent
	b = json.AppendString(append(b, `{"entity":`...), v.Entity)
	b = json.AppendString(append(b, `,"key":`...), v.Key)
	b = appendTimeOrNull(append(b, `,"as_of":`...), v.AsOfMs, true)
	b = appendTimeOrNull(append(b, `,"last_event":`...), v.LastMs, known)
	b = append(b, `,"age_seconds":`...)
	if known {
		b = json.AppendFloat(b, float64(v.AsOfMs-v.LastMs)/1000)
	} else {
		b = append(b, "null"...)
	}
	b = json.AppendString(append(b, `,"source":`...), source)
	b = append(b, `,"features":{`...)
	for i, name := range v.Names {
		b = json.AppendFloat(json.AppendKey(b, name), v.Values[i])
	}
	return append(b, "}}"...)
}

func (s *Server) entity(name string) (*Entity, []string) {
	names := make([]string, len(s.o.Entities))
	for i := range s.o.Entities {
		if s.o.Entities[i].Name == name {
			return &s.o.Entities[i], nil
		}
		names[i] = s.o.Entities[i].Name
	}
	return nil, names
}

// keyOf reads the key from the escaped path /v1/features/{entity}/{key...}. The parts of a key of several fields are path segments of
// their own, or one segment with | between them; of a key of one field all that follows is the key, slashes included.
func keyOf(path string, fields []string) (string, error) {
	segments := strings.Split(strings.TrimPrefix(path, "/v1/features/"), "/")[1:]
	for i := range segments {
		p, err := url.PathUnescape(segments[i])
		if err != nil {
			return "", fmt.Errorf("the key is not URL-encoded: %v", err)
		}
		segments[i] = p
	}
	if len(fields) <= 1 {
		if key := strings.Join(segments, "/"); key != "" {
			return key, nil
		}
		return "", errors.New("the key is empty: expected /v1/features/{entity}/{key}")
	}
	key, parts := segments[0], len(segments)
	if parts == 1 {
		parts = countParts(key)
	} else {
		key = JoinKey(segments...)
	}
	if parts != len(fields) {
		return "", fmt.Errorf("the key has %d parts, expected %d (%s), as path segments or with | between them", parts, len(fields), strings.Join(fields, ", "))
	}
	return key, nil
}

// JoinKey joins the parts of a key of several fields, as the engine does: with | between them, | and \ in a part escaped by \.
func JoinKey(parts ...string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('|')
		}
		for j := range len(p) {
			if p[j] == '|' || p[j] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(p[j])
		}
	}
	return b.String()
}

func countParts(key string) int {
	n := 1
	for i := 0; i < len(key); i++ {
		switch key[i] {
		case '\\':
			i++
		case '|':
			n++
		}
	}
	return n
}

// timeOf reads ?at=: -1 where there is none.
func (s *Server) timeOf(q url.Values) (int64, error) {
	text := q.Get("at")
	if text == "" {
		return -1, nil
	}
	return ParseTime(text, s.o.Now)
}

// ParseTime reads a time as ?at= has it: now, RFC 3339, or milliseconds since 1970.
func ParseTime(text string, now func() time.Time) (ms int64, err error) {
	if text == "now" {
		return now().UnixMilli(), nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms >= 0 {
		return ms, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil && t.UnixMilli() >= 0 {
		return t.UnixMilli(), nil
	}
	return 0, fmt.Errorf("at is %q, expected now, a time as 2026-01-05T12:00:00Z, or milliseconds since 1970", text)
}
