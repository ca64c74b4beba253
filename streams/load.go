package streams

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of a pipeline file. They bound what is built from it; the file comes from outside.
const (
	MaxFileBytes = 256 << 10
	maxStreams   = 64
	maxEntities  = 32
	maxFeatures  = 4096 // of all entities, each window counted
	maxWindows   = 32   // of one group
	maxDerived   = 1024
	maxModels    = 32
	maxRules     = 1024
	maxWatches   = 256
	maxWindowMs  = 10 * 365 * 24 * 3600 * 1000
)

// Load reads and checks a pipeline file. The error is an Errors with every mistake, or the error of reading the file.
// A pipeline that Load returns compiles.
func Load(path string) (*Pipeline, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if info.Size() > MaxFileBytes {
		return nil, fmt.Errorf("%s: the file has %d bytes, at most %d are allowed", path, info.Size(), MaxFileBytes)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, src)
}

// Parse is Load for a file that is in memory already; name is its path, for messages and for files that it names.
func Parse(name string, src []byte) (*Pipeline, error) {
	p, r := decodeYAML(name, src)
	if p == nil {
		return nil, r.done()
	}
	// Checked even if something could not be read, so that all mistakes are seen at once.
	if _, errs := compile(p, r); errs != nil {
		return nil, errs
	}
	return p, nil
}

// decodeYAML reads the YAML. The pipeline is nil only if nothing of it could be read.
func decodeYAML(name string, src []byte) (p *Pipeline, r *report) {
	r = newReport(name)
	if len(src) > MaxFileBytes {
		r.add(place{}, "", "", "the file has %d bytes, at most %d are allowed", len(src), MaxFileBytes)
		return nil, r
	}
	file, errAt, err := parseYAML(src)
	if err != "" {
		r.add(errAt, "", "", "not YAML: %s", err)
		return nil, r
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.add(place{line: 1, col: 1}, "", "", "the file is empty: expected a pipeline, as in pipeline: NAME, streams: {...}")
		return nil, r
	}
	if len(file.Docs) > 1 && file.Docs[1].Body != nil {
		r.add(startOf(file.Docs[1].Body), "", "", "a second document: a pipeline is one document")
	}
	p = &Pipeline{File: name, at: &places{values: map[string]place{}, keys: map[string]place{}}}
	d := &decoder{report: r, at: p.at, anchors: anchorsOf(file.Docs[0].Body)}
	d.value(file.Docs[0].Body, reflect.ValueOf(p).Elem(), "", "")
	return p, r
}

// yamlPlace finds the "[line:column]" that the library's messages start with.
var yamlPlace = regexp.MustCompile(`^\[(\d+):(\d+)\] ([^\n]*)`)

func parseYAML(src []byte) (file *ast.File, at place, msg string) {
	defer func() { // the library is not ours: what it cannot digest is an error of the file, never a crash
		if r := recover(); r != nil {
			file, msg = nil, fmt.Sprint(r)
		}
	}()
	if at, ok := tooDeep(src); ok {
		return nil, at, "brackets are nested too deep"
	}
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey()) // duplicates are ours to report
	if err == nil {
		return file, place{}, ""
	}
	m := yamlPlace.FindStringSubmatch(err.Error())
	if m == nil {
		return nil, place{}, err.Error()
	}
	line, _ := strconv.Atoi(m[1])
	col, _ := strconv.Atoi(m[2])
	return nil, place{line: line, col: col}, m[3]
}

// tooDeep guards the parser's recursion: no line of a sane file opens this many levels.
func tooDeep(src []byte) (place, bool) {
	const most = 200
	line, col, open, run := 1, 0, 0, 0
	for _, c := range src {
		col++
		switch c {
		case '\n':
			line, col, run = line+1, 0, 0
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '-', '?', ':', '&', '!':
			run++
		}
		if open > most || run > 4096 {
			return place{line: line, col: col}, true
		}
	}
	return place{}, false
}

// startOf is where a node starts; a block mapping's own token is its first colon.
func startOf(n ast.Node) place {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return startOf(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return startOf(m.Key)
	case *ast.AnchorNode:
		return startOf(m.Value)
	case *ast.LiteralNode:
		tk := m.GetToken()
		return place{line: tk.Position.Line, col: tk.Position.Column}
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return place{}
	}
	tk := n.GetToken()
	at := place{line: tk.Position.Line, col: tk.Position.Column}
	if _, ok := n.(ast.ScalarNode); ok {
		at.text = true
		if org := tk.Origin; len(org) > 0 {
			switch tk.Type.String() {
			case "DoubleQuote", "SingleQuote":
				at.col++
			}
		}
	}
	return at
}
