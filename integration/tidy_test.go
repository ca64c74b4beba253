package integration

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of the repository, each a table with the reason that a failure prints. They need no service: go test ./integration.

// layer says what a package may import of ours. A path stands for itself, one that ends in /... for what is below it too.
var layers = []struct {
	pkg    string
	may    []string
	reason string
}{
	{"schemas", nil, "the words everything else is written in: below them there is nothing"},
	{"schemas/json", []string{"schemas"}, "a codec knows batches, not pipelines"},
	{"schemas/avro", []string{"schemas", "schemas/json"}, "a codec knows batches, not pipelines"},
	{"schemas/protobuf", []string{"schemas", "schemas/json"}, "a codec knows batches, not pipelines"},
	{"schemas/events", []string{"schemas", "schemas/avro", "schemas/json"}, "what freshet emits is bytes, whoever decided to emit it"},
	{"schemas/registry", []string{"schemas", "schemas/avro"}, "an adapter of the codecs; the fold must not know that there is a registry"},
	{"state", nil, "state holds bytes and positions; what they mean is its users' affair"},
	{"features/agg/...", []string{"features/agg/..."}, "an aggregation is algebra over cells: no plan, no clock, no state"},
	{"features/timeline/...", []string{"features/agg"}, "windows fold aggregations and nothing else"},
	{"features/expr/...", []string{"schemas"}, "an expression sees a row"},
	{"features/...", []string{"features/...", "schemas", "state"}, "features and learners do not know each other, and neither knows the spine above"},
	{"learners/numeric", nil, "arithmetic at the bottom of every learner"},
	{"learners/wire", nil, "the bytes of every learner"},
	{"learners/param", nil, "parameters at the bottom of every learner"},
	{"learners/drift/...", []string{"learners/drift", "learners/numeric", "learners/param", "learners/wire"}, "a detector sees numbers, not models"},
	{"learners/flat", []string{"learners/numeric", "learners/scale", "learners/wire"}, "trees as arrays: below the learners that export them"},
	{"learners/contract", []string{"learners/flat", "learners/scale"}, "the interfaces of learners: below the learners made of others"},
	{"learners/learnertest/...", []string{"learners", "learners/..."}, "the conformance of what is registered"},
	{"learners/...", []string{"learners/...", "schemas", "state"}, "a learner sees []float64 and a class: features and learners do not know each other"},
	{"streams", []string{"features", "features/...", "learners", "learners/...", "schemas", "schemas/avro", "schemas/json", "schemas/events", "state"},
		"the spine is folded in tests without a broker, a store or a registry: adapters import streams, never the reverse"},
	{"streams/simulate", nil, "a workload stands in the place of the world, which knows nothing of freshet"},
	{"streams/online/...", []string{"streams/online/..."}, "the store keeps keys and bytes"},
	{"streams/metrics", nil, "names and numbers: everybody may count, so counting may know nobody"},
	{"streams/file", []string{"streams", "schemas", "schemas/json", "schemas/avro"}, "an adapter sees the spine, not the other adapters"},
	{"streams/kafka", []string{"streams", "schemas"}, "an adapter sees the spine, not the other adapters"},
	{"streams/serve", []string{"streams", "features", "schemas", "schemas/json"}, "an adapter sees the spine, not the other adapters"},
	{"deploy/...", nil, "shipped files, embedded"},
	{"cmd/...", []string{"cmd/...", "streams", "streams/...", "features", "features/...", "learners", "learners/...", "state", "schemas", "schemas/...", "deploy/..."}, "the binary puts everything together; nothing imports it"},
	{"integration", nil, "the services know nothing of freshet; the tests do"},
}

// homes says where each third-party library may be imported: one place that knows it, so that it can be replaced there.
var homes = []struct {
	lib    string
	home   []string
	reason string
}{
	{"github.com/twmb/franz-go/pkg/sr", []string{"schemas/registry"}, "the registry's protocol"},
	{"github.com/twmb/franz-go/", []string{"streams/kafka"}, "Kafka's protocol, and its in-process broker"},
	{"github.com/redis/go-redis/", []string{"streams/online"}, "Redis' protocol"},
	{"github.com/alicebob/miniredis/", nil, "for tests only"},
	{"github.com/cockroachdb/pebble/", []string{"state"}, "what is durable lies behind state's API"},
	{"github.com/linkedin/goavro/", []string{"schemas/avro"}, "slow: tools and the oracle of tests; the hot path has its own programs"},
	{"github.com/twmb/avro", []string{"schemas/avro"}, "an oracle of the tests"},
	{"github.com/prometheus/", []string{"streams/metrics"}, "every metric's name in one file"},
	{"github.com/testcontainers/", []string{"integration"}, "containers are for tests on services"},
	{"github.com/moby/", []string{"integration"}, "testcontainers' own types"},
	{"github.com/spf13/", []string{"cmd/freshet"}, "flags belong to the binary"},
	{"github.com/goccy/go-yaml", []string{"streams"}, "the pipeline file is read in one place"},
	{"github.com/invopop/jsonschema", []string{"streams", "cmd/freshet"}, "the schema of the pipeline file"},
	{"github.com/santhosh-tekuri/jsonschema/", nil, "an oracle of the tests"},
	{"github.com/expr-lang/expr", []string{"features/expr"}, "the syntax of expressions"},
	{"github.com/klauspost/compress", []string{"streams/file"}, "compressed files"},
	{"google.golang.org/protobuf", []string{"learners/exchange"}, "the bytes of ONNX files"},
	{"github.com/parquet-go/", []string{"streams/file"}, "Parquet files"},
	{"github.com/axiomhq/hyperloglog", []string{"features/agg"}, "sketches are aggregations"},
	{"github.com/cespare/xxhash/", []string{"features/agg", "features/expr", "state", "streams", "streams/online", "schemas", "schemas/avro"}, "a function, not a dependency that could be replaced: keys hash alike everywhere"},
	{"golang.org/x/sys/", []string{"cmd/freshet"}, "the CPU time of a thread"},
	{"github.com/google/go-cmp", nil, "for tests only"},
	{"pgregory.net/rapid", nil, "for tests only"},
	{"go.uber.org/goleak", nil, "for tests only"},
}

// pure are the folders in which time and chance come from outside, as arguments.
var pure = []string{"features", "learners", "state", "schemas"}

// impure excuses a use there: package and what it may use, with the reason.
var impure = []struct{ pkg, use, reason string }{
	{"schemas/registry", "time", "an adapter: it waits for answers and backs off; its clock is Options.Now"},
	{"state", "time.Sleep", "a full disk: a write waits for room and is tried again; what is written does not depend on how long"},
}

// clocks are the functions of package time that read it, or wait.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

var topLevel = []string{"README.md", "cmd", "streams", "features", "learners", "state", "schemas", "deploy", "integration", "go.mod", "go.sum", "LICENSE"}

// source is one Go file, parsed.
type source struct {
	path string // from the root, with /
	pkg  string // folder
	test bool
	gen  bool
	text []byte
	ast  *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && path != ".." && (strings.HasPrefix(e.Name(), ".") || e.Name() == "testdata") {
			return fs.SkipDir
		}
		if e.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(rel), test: strings.HasSuffix(path, "_test.go")}
		s.pkg = "."
		if i := strings.LastIndexByte(s.path, '/'); i >= 0 {
			s.pkg = s.path[:i]
		}
		if s.text, err = os.ReadFile(path); err != nil {
			return err
		}
		s.gen = bytes.Contains(s.text, []byte("\n// Code generated ")) || bytes.HasPrefix(s.text, []byte("// Code generated "))
		if s.ast, err = parser.ParseFile(fset, path, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *source) imports() []string {
	var out []string
	for _, i := range s.ast.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// matches: "a" is a; "a/..." is a and what is below.
func matches(pattern, pkg string) bool {
	base, all := strings.CutSuffix(pattern, "/...")
	return pkg == base || all && strings.HasPrefix(pkg, base+"/")
}

// helper packages are imported by tests only, wherever they are.
func helper(pkg string) bool { return strings.HasSuffix(pkg, "test") }

func TestTidyImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		at := slices.IndexFunc(layers, func(l struct {
			pkg    string
			may    []string
			reason string
		}) bool {
			return matches(l.pkg, s.pkg)
		})
		if at < 0 && s.pkg != ".ci" {
			t.Errorf("%s: package %s has no line in the table of imports (integration/tidy_test.go): say what it may import and why", s.path, s.pkg)
			continue
		}
		for _, i := range s.imports() {
			p, ours := strings.CutPrefix(i, "freshet/")
			switch {
			case !ours:
			case helper(p) && !helper(s.pkg):
				t.Errorf("%s imports %s, which is for tests", s.path, i)
			case !slices.ContainsFunc(layers[at].may, func(m string) bool { return matches(m, p) }):
				t.Errorf("%s imports %s, which %s may not: %s. It may import %v", s.path, i, s.pkg, layers[at].reason, layers[at].may)
			}
		}
	}
}

func TestTidyHomes(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		for _, i := range s.imports() {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") {
				continue // standard library and ours
			}
			at := slices.IndexFunc(homes, func(h struct {
				lib    string
				home   []string
				reason string
			}) bool {
				return strings.HasPrefix(i, h.lib)
			})
			if at < 0 {
				t.Errorf("%s imports %s, which has no home in the table (integration/tidy_test.go): each library has one, with a reason", s.path, i)
				continue
			}
			used[homes[at].lib] = true
			if !s.test && !helper(s.pkg) && !slices.Contains(homes[at].home, s.pkg) {
				t.Errorf("%s imports %s, whose home is %v: %s", s.path, i, homes[at].home, homes[at].reason)
			}
		}
	}
}

func TestTidyPure(t *testing.T) {
	needed := map[int]bool{}
	excused := func(pkg, use string) bool {
		at := slices.IndexFunc(impure, func(e struct{ pkg, use, reason string }) bool {
			return e.pkg == pkg && (e.use == use || e.use == strings.SplitN(use, ".", 2)[0])
		})
		needed[at] = true
		return at >= 0
	}
	for _, s := range sources(t) {
		top, _, _ := strings.Cut(s.pkg, "/")
		if s.test || helper(s.pkg) || !slices.Contains(pure, top) {
			continue
		}
		for _, i := range s.imports() {
			if (i == "math/rand" || i == "crypto/rand") && !excused(s.pkg, i) {
				t.Errorf("%s imports %s: chance comes from a seed that is passed in (math/rand/v2 with a PCG of its own)", s.path, i)
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			switch {
			case !ok:
			case x.Name == "time" && slices.Contains(clocks, sel.Sel.Name) && !excused(s.pkg, "time."+sel.Sel.Name):
				t.Errorf("%s uses time.%s: a fold has no clock, or a replay would differ; times are passed in", s.path, sel.Sel.Name)
			case x.Name == "rand" && ast.IsExported(sel.Sel.Name) && !slices.Contains([]string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "PCG", "ChaCha8", "Source", "Zipf"}, sel.Sel.Name) && !excused(s.pkg, "rand."+sel.Sel.Name):
				t.Errorf("%s uses rand.%s: the global source has no seed of ours", s.path, sel.Sel.Name)
			}
			return true
		})
	}
	for i, e := range impure {
		if !needed[i] {
			t.Errorf("%s is excused for %s (%s) and does not use it", e.pkg, e.use, e.reason)
		}
	}
}

func TestTidyGlobals(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: registries are tables that one can read", s.path)
			}
		}
	}
}

// TestTidyDocs: each package says what it is, once.
func TestTidyDocs(t *testing.T) {
	docs := map[string][]string{}
	for _, s := range sources(t) {
		if s.test || s.pkg == ".ci" {
			continue
		}
		if _, ok := docs[s.pkg]; !ok {
			docs[s.pkg] = nil
		}
		if s.ast.Doc != nil && !strings.HasPrefix(s.ast.Doc.Text(), "//") {
			docs[s.pkg] = append(docs[s.pkg], s.path)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(docs)) {
		if n := len(docs[pkg]); n != 1 {
			t.Errorf("package %s has %d package comments %v, want one, in doc.go: what it is on the line, what it may import, where to start", pkg, n, docs[pkg])
		}
	}
}

func TestTidyFiles(t *testing.T) {
	const most = 600
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > most && !s.test && !s.gen {
			t.Errorf("%s has %d lines, at most %d: a file is one thought", s.path, n, most)
		}
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) && !ignored(e.Name()) {
			t.Errorf("%s is at the top level, which has %v only: a newcomer sees it first", e.Name(), topLevel)
		}
	}
}

// ignored says that .gitignore names a file of the top level: it is never committed.
func ignored(name string) bool {
	b, err := os.ReadFile("../.gitignore")
	return err == nil && slices.ContainsFunc(strings.Fields(string(b)), func(p string) bool {
		ok, _ := filepath.Match(strings.TrimPrefix(p, "/"), name)
		return ok
	})
}

// absolute finds paths of one machine. Those that every machine, or the container that a file describes, has are fine.
var absolute = regexp.MustCompile(`(^|[\s"'` + "`" + `=(:])(/(?:home|Users|root|work|mnt|media|srv)/[\w.\-/]*)`)

func TestTidyPaths(t *testing.T) {
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if n := e.Name(); n == ".git" || n == "cache" && strings.Contains(path, ".ci") {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil || info.Size() > 1<<20 || filepath.Base(path) == "tidy_test.go" || e.Name() == ".git" { // a worktree's .git is a file
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			return err
		}
		for n, line := range bytes.Split(b, []byte("\n")) {
			if m := absolute.FindSubmatch(line); m != nil && !(filepath.Base(path) == "Dockerfile" && bytes.HasPrefix(m[2], []byte("/root/.cache"))) {
				t.Errorf("%s:%d: the absolute path %s is one machine's", strings.TrimPrefix(filepath.ToSlash(path), "../"), n+1, m[2])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTidyTables keeps the tables from naming what is gone.
func TestTidyTables(t *testing.T) {
	pkgs, libs := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		pkgs[s.pkg] = true
		for _, i := range s.imports() {
			libs[i] = true
		}
	}
	later := []string{"schemas/protobuf"} // in the layout, not built yet
	for _, l := range layers {
		found := slices.Contains(later, l.pkg)
		for p := range pkgs {
			found = found || matches(l.pkg, p)
		}
		if !found {
			t.Errorf("the table of imports names %s, which is not there", l.pkg)
		}
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for line := range strings.Lines(string(mod)) {
		if f := strings.Fields(line); len(f) >= 2 && strings.Contains(f[0], ".") && !strings.Contains(line, "// indirect") && f[0] != "module" {
			direct[f[0]] = true
		}
	}
	for m := range direct {
		if !slices.ContainsFunc(homes, func(h struct {
			lib    string
			home   []string
			reason string
		}) bool {
			return strings.HasPrefix(m+"/", h.lib) || strings.HasPrefix(m, h.lib)
		}) {
			t.Errorf("go.mod requires %s, which has no home in the table", m)
		}
	}
}
