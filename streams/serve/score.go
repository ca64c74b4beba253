package serve

import (
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"

	"freshet/schemas"
	"freshet/schemas/json"
	"freshet/streams"
)

// score answers POST /v1/score.
func (s *Server) score(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, s.o.MaxBody))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		fail(w, http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the event has more than %d bytes, which is the limit", s.o.MaxBody), "")
		return
	case err != nil:
		fail(w, http.StatusBadRequest, "bad_event", "the body ended early", "")
		return
	}
	scored, missing, err := s.b.Score(q.Context(), body)
	var p *schemas.Poison
	switch {
	case errors.As(err, &p):
		failAt(w, http.StatusBadRequest, "bad_event", "the event cannot be used: "+p.Error(), "", p.Field)
		return
	case err != nil:
		s.trouble(w, q, err)
		return
	}
	b, err := appendScored(nil, &scored, missing)
	if err == nil && q.URL.Query().Get("explain") == "true" {
		b = appendExplained(b[:len(b)-1], &scored)
	}
	if err != nil {
		s.trouble(w, q, err)
		return
	}
	answer(w, http.StatusOK, b)
}

func appendScored(b []byte, s *streams.Scored, missing []string) ([]byte, error) {
	b = append(b, `{"vector":{`...)
	names := make([]string, 0, len(s.Vector))
	for name := range s.Vector {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = json.AppendKey(b, name)
		if v, ok := s.Vector[name].(float64); ok {
			b = json.AppendFloat(b, v) // NaN and infinities are null
			continue
		}
		v, err := stdjson.Marshal(s.Vector[name])
		if err != nil {
			return nil, fmt.Errorf("vector column %s: %w", name, err)
		}
		b = append(b, v...)
	}
	b = json.AppendFloat(append(b, `},"score":`...), s.Score)
	b = json.AppendFloat(append(b, `,"decision":{"score":`...), s.Score)
	b = appendTextOrNull(append(b, `,"model":`...), s.Model)
	b = append(b, `,"version":`...)
	if s.Model == "" {
		b = append(b, "null"...)
	} else {
		b = json.AppendFloat(b, float64(s.Version))
	}
	source := s.Source
	if math.IsNaN(s.Score) && source == "" {
		source = "none"
	}
	b = json.AppendString(append(b, `,"source":`...), source)
	b = appendTextOrNull(append(b, `,"reason":`...), s.Reason)
	b = append(b, `},"models":{`...)
	names = names[:0]
	for name := range s.Models {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b = json.AppendFloat(json.AppendKey(b, name), s.Models[name])
	}
	b = append(b, `},"missing":[`...)
	for i, name := range missing {
		if i > 0 {
			b = append(b, ',')
		}
		b = json.AppendString(b, name)
	}
	return append(b, "]}"...), nil
}

// appendExplained adds the contributions to an answer whose last brace is off.
func appendExplained(b []byte, s *streams.Scored) []byte {
	e := &streams.Explained{Way: "none"}
	if s.Explain != nil {
		e = s.Explain()
	}
	list := func(v []float64) {
		b = append(b, '[')
		for i, f := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = json.AppendFloat(b, f)
		}
		b = append(b, ']')
	}
	b = json.AppendString(append(b, `,"explained":{"way":`...), e.Way)
	b = json.AppendFloat(append(b, `,"version":`...), float64(e.Version))
	b = append(b, `,"base":`...)
	list(e.Base)
	b = append(b, `,"contributions":{`...)
	for i, name := range e.Names {
		b = json.AppendKey(b, name)
		list(e.Shares[i])
	}
	return append(b, "}}}"...)
}

func appendTextOrNull(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return json.AppendString(b, s)
}

// models answers GET /v1/models.
func (s *Server) models(w http.ResponseWriter, q *http.Request) {
	list := s.b.Models()
	for i := range list {
		if list[i].Features == nil {
			list[i].Features = []string{}
		}
	}
	if list == nil {
		list = []ModelInfo{}
	}
	b, err := stdjson.Marshal(map[string]any{"models": list})
	if err != nil {
		s.trouble(w, q, err)
		return
	}
	answer(w, http.StatusOK, b)
}
