package expr

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// Limits of one expression. They bound compile time, stack and closure depth; a pipeline file comes from outside.
const (
	MaxSource = 8192 // bytes of source
	MaxNodes  = 2000 // operators, names and literals, as compiled (a < b < c reads b twice)
	MaxDepth  = 100  // nesting; a chain a + b + c … of one level is not nesting
)

// Kind is what a value is.
type Kind uint8

// The kinds of values. The zero Kind is Num.
const (
	Num  Kind = iota // float64; NaN is null
	Str              // []byte; nil is null, empty is not
	Bool             // a condition; in a slot of Env.Num: 0, 1 or NaN for null
)

// String returns the word the error messages use.
func (k Kind) String() string {
	switch k {
	case Num:
		return "number"
	case Str:
		return "text"
	case Bool:
		return "condition"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Symbol says where a name's value is: Env.Str[Slot] for Str, Env.Num[Slot] for Num and Bool.
type Symbol struct {
	Kind Kind
	Slot int
}

// Resolver looks a name up. Names are whole paths: amount, card.mean_24h, user.address.city.
type Resolver func(name string) (Symbol, bool)

// Env is one row: the values by slot. A Program only reads it, and keeps nothing of it.
type Env struct {
	Num []float64
	Str [][]byte
}

// Expr is a parsed expression, not yet bound to slots. It is immutable and may be compiled many times.
type Expr struct {
	src   string
	first int // column of the expression itself, 1 unless it is an argument of a call
	root  ast.Node
}

// Parse reads one expression. The error is an *Error with the 1-based column, counted in characters from the start of
// src (a line break counts as one). Linear in the length of src, which MaxSource bounds.
func Parse(src string) (*Expr, error) {
	e, err := parse(src)
	if err != nil { // not err itself: a nil *Error in an error is not nil
		return nil, err
	}
	return e, nil
}

func parse(src string) (e *Expr, failed *Error) {
	if len(src) > MaxSource {
		return nil, errorAt(1, "the expression has %d bytes, at most %d are allowed", len(src), MaxSource)
	}
	if strings.TrimSpace(src) == "" {
		return nil, errorAt(1, "the expression is empty")
	}
	if !utf8.ValidString(src) {
		return nil, errorAt(1, "the expression is not valid UTF-8")
	}
	defer func() { // the library's parser is not ours: what it cannot digest is an error here, never a crash
		if r := recover(); r != nil {
			e, failed = nil, errorAt(1, "the expression cannot be parsed: %v", r)
		}
	}()
	tree, err := parser.Parse(src)
	if err != nil {
		return nil, syntaxError(src, err)
	}
	m := measure{}
	if failed := m.walk(tree.Node, 1); failed != nil {
		return nil, failed
	}
	lead := len(src) - len(strings.TrimLeft(src, " \t\r\n"))
	return &Expr{src: src, first: lead + 1, root: tree.Node}, nil
}

// syntaxError turns the library's error (0-based character offset, tokens in its own notation) into ours.
func syntaxError(src string, err error) *Error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return errorAt(1, "%v", err)
	}
	msg := fe.Message
	switch {
	case strings.Contains(msg, `unexpected token Operator("=")`):
		msg = "unexpected =, write == to compare"
	case strings.Contains(msg, "unexpected token EOF"), strings.Contains(msg, "unexpected end of expression"):
		return errorAt(utf8.RuneCountInString(strings.TrimRightFunc(src, unicode.IsSpace))+1, "the expression ends too early")
	case strings.HasPrefix(msg, "unexpected token "):
		if i, j := strings.IndexByte(msg, '('), strings.LastIndexByte(msg, ')'); i > 0 && j > i {
			msg = "unexpected " + msg[i+1:j]
		}
	case strings.HasPrefix(msg, "compilation failed: "):
		msg = strings.TrimPrefix(msg, "compilation failed: ")
	case strings.Contains(msg, ": strconv."):
		msg = msg[:strings.Index(msg, ": strconv.")] + msg[strings.LastIndex(msg, ":"):]
	case strings.HasPrefix(msg, "expected at least "): // count(), sum(): predicates over lists, in the grammar
		msg = "not a function of one row: an aggregation such as count() is defined under compute, by its name used here"
	case strings.HasPrefix(msg, "Operator ("):
		msg = "?? beside another operator needs parentheses: (x ?? d) + 1"
	}
	return errorAt(fe.From+1, "%s", msg)
}

// measure counts a tree. The parser shares subtrees (a < b < c holds b twice), so a short source can stand for an
// exponential tree: the count stops at the limit.
type measure struct{ nodes int }

func (m *measure) walk(n ast.Node, depth int) *Error {
	if n == nil {
		return errorAt(1, "the expression is incomplete")
	}
	m.nodes++
	if m.nodes > MaxNodes {
		return errorAt(column(n), "the expression has more than %d parts", MaxNodes)
	}
	if depth > MaxDepth {
		return errorAt(column(n), "the expression is nested more than %d deep", MaxDepth)
	}
	for i, child := range children(n) {
		d := depth + 1
		if b, ok := n.(*ast.BinaryNode); ok && i == 0 {
			if left, ok := child.(*ast.BinaryNode); ok && left.Operator == b.Operator {
				d = depth // a + b + c
			}
		}
		if err := m.walk(child, d); err != nil {
			return err
		}
	}
	return nil
}

// children lists the parts of a node in the order they were written; a path (card.mean_24h) is a leaf.
func children(n ast.Node) []ast.Node {
	if _, _, ok := pathOf(n); ok {
		return nil
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.CallNode:
		if _, ok := n.Callee.(*ast.IdentifierNode); ok {
			return n.Arguments
		}
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	}
	return nil // literals, and what the compiler refuses whole
}

// pathOf reads a name: an identifier, or members of one by name. $env["odd name"] is the name itself.
func pathOf(n ast.Node) (path string, col int, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, n.Location().From + 1, true
	case *ast.ChainNode:
		return pathOf(n.Node)
	case *ast.MemberNode:
		p, isName := n.Property.(*ast.StringNode)
		if !isName || n.Method {
			return "", 0, false
		}
		path, col, ok = pathOf(n.Node)
		if _, isRoot := n.Node.(*ast.IdentifierNode); ok && isRoot && path == "$env" {
			return p.Value, col, true
		}
		return path + "." + p.Value, col, ok
	}
	return "", 0, false
}

// column is where to point for a node: a binary operator's own place, otherwise its start.
func column(n ast.Node) int {
	if _, col, ok := pathOf(n); ok {
		return col
	}
	if c, ok := n.(*ast.ConditionalNode); ok { // the parser puts it at its end, or nowhere
		return column(c.Cond)
	}
	return n.Location().From + 1
}

// String is the expression as written, without what stands before and after it.
func (e *Expr) String() string { return strings.TrimSpace(e.src) }

// Column is the 1-based column at which the expression starts in the source it was parsed from.
func (e *Expr) Column() int { return e.first }

// Names lists the names an expression reads, whole paths, each once, in order of appearance. Functions are not names.
func (e *Expr) Names() []string {
	var names []string
	seen := map[string]bool{}
	e.visit(func(n ast.Node) {
		if path, _, ok := pathOf(n); ok && !seen[path] {
			seen[path] = true
			names = append(names, path)
		}
	})
	return names
}

// visit calls f for each node, outer before inner, left before right. Parse has bounded the tree.
func (e *Expr) visit(f func(ast.Node)) {
	var walk func(ast.Node)
	walk = func(n ast.Node) {
		f(n)
		for _, child := range children(n) {
			walk(child)
		}
	}
	walk(e.root)
}
