package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"freshet/schemas"
	"freshet/schemas/json"
	"freshet/streams"
	"freshet/streams/file"
)

// input is a file that stands for a source stream.
type input struct {
	stream *streams.StreamPlan
	path   string
	*file.Reader
}

// openInputs opens the files of --input STREAM=FILE flags, in the order of the flags. reject hears of rows that are left out.
func openInputs(topo *streams.Topology, flags []string, log *slog.Logger) (_ []*input, err error) {
	if len(flags) == 0 {
		return nil, usagef("which files? give --input STREAM=FILE for each source stream that has one")
	}
	var ins []*input
	defer func() {
		if err != nil {
			closeInputs(ins)
		}
	}()
	seen := map[string]bool{}
	for _, f := range flags {
		name, path, ok := strings.Cut(f, "=")
		if !ok || name == "" || path == "" {
			return ins, usagef("--input %q: expected STREAM=FILE", f)
		}
		plan, err := sourceStream(topo, name)
		if err != nil {
			return ins, err
		}
		if seen[name] {
			return ins, usagef("--input %s is given twice: a stream is one file", name)
		}
		seen[name] = true
		said := 0
		r, err := file.Open(path, plan.Wire, file.Options{TimeCol: timeColumn(plan), Reject: func(line int64, _ []byte, p *schemas.Poison) {
			switch said++; {
			case said <= 5:
				log.Warn("record left out", "file", path, "line", line, "reason", p.Error())
			case said == 6:
				log.Warn("more records left out, counted only", "file", path)
			}
		}})
		if err != nil {
			return ins, usageError{err}
		}
		ins = append(ins, &input{stream: plan, path: path, Reader: r})
	}
	return ins, nil
}

func closeInputs(ins []*input) {
	for _, in := range ins {
		_ = in.Close() // read only
	}
}

// sourceStream finds a stream that is read from a topic or file.
func sourceStream(topo *streams.Topology, name string) (*streams.StreamPlan, error) {
	var names []string
	for _, s := range topo.Streams {
		if s.Kind == streams.SourceStream {
			if s.Name == name {
				return s, nil
			}
			names = append(names, s.Name)
		} else if s.Name == name {
			return nil, usagef("--input %s: this stream is made of another one and takes its records from there", name)
		}
	}
	err := fmt.Errorf("--input %s: no such stream, expected one of %s", name, strings.Join(names, ", "))
	if near := json.Nearest(name, names); near != "" {
		err = fmt.Errorf("%w; nearest: %s", err, near)
	}
	return nil, usageError{err}
}

// timeColumn is the index in Wire of the column that is the event time.
func timeColumn(s *streams.StreamPlan) int {
	for i, c := range s.Wire.Cols {
		if c.Kind == schemas.Time && s.Wire.Slot[i] == s.TimeSl {
			return i
		}
	}
	return -1
}

// textColumn is the Str slot in Wire of a field, -1 where it is not decoded as text.
func textColumn(s *streams.StreamPlan, name string) int {
	if i := s.Wire.Find(name, schemas.Str); i >= 0 {
		return s.Wire.Slot[i]
	}
	return -1
}

// bytesRead adds up how far the inputs are, for progress.
func bytesRead(ins []*input) (read, total int64) {
	for _, in := range ins {
		r, t := in.BytesRead()
		read, total = read+r, total+t
	}
	return read, total
}

// readNote shows the share of the files' bytes, from which the time left follows where the number of rows is unknown.
func readNote(ins []*input) func() string {
	return func() string {
		read, total := bytesRead(ins)
		if total == 0 {
			return ""
		}
		return fmt.Sprintf("%d%% of the files", 100*read/total)
	}
}

var errNoEvents = errors.New("the events' stream has no file")
