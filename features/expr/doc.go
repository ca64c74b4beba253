// Package expr is the small language of a pipeline file: filters (`where`), derived features, rule conditions and the
// arguments of aggregations (`sum(amount * rate)`).
//
// On the line it stands between a decoded row and everything that reads one:
//
//	"amount > 3 * card.mean_24h"
//	      │ Parse        grammar, limits, columns            (expr.go)
//	      ▼
//	    *Expr ── Names, KindHints: what a source must supply (expr.go, hints.go)
//	      │ Compile      names → slots, kinds checked        (compile.go)
//	      ▼
//	  *Program ── Num / Bool / Str over an Env of flat slots: no allocation, no map, no reflection
//
// The grammar is that of github.com/expr-lang/expr, whose parser is used, so its documentation and its editors hold;
// only a subset compiles, and whatever is outside of it is an error that names the column. The closures are ours:
// typed, folded where the operands are literals, and specialised for the shapes rules are made of (a field, a field
// times a number, a literal): `amount > 3*avg_24h && count_1h > 5` takes 6 ns, on the library's virtual machine 180.
//
// # Language
//
//	literals     12  1_000  0.5  1e-3  0xff   'text' "text" `text`   true false nil
//	names        amount   card.mean_24h   user?.address.city   card["odd name"]   $env["odd-name"]
//	arithmetic   + - * / % **   (^ is also a power)   unary - +
//	comparison   == != < <= > >=   a < b < c means a < b and b < c   text compares byte by byte
//	logic        and or not   && || !
//	lists        x in [1, 2, 3]   s not in ['a', 'b']      literals only
//	text         startsWith endsWith contains, each also with "not" before it
//	choice       cond ? a : b   if cond { a } else { b }   x ?? d   (x ?? d is in parentheses beside another operator)
//	pipe         x | clip(0, 1) | round()   is   round(clip(x, 0, 1))
//	functions    see Functions; x ** 2, sqrt(x), clip(x, lo, hi), hour(t), haversine_km(...)
//
// Three kinds: a number (float64), text (bytes) and a condition (bool). A condition where a number is wanted is 1 or 0
// (null stays null). A number is never a condition: write `x != 0`. Integer literals beyond 2^53 are refused, because a
// float64 would silently hold a neighbour.
//
// # Null
//
// A number that is null is NaN, text that is null is a nil slice, a condition that is null is NaN in its numeric slot.
//
//   - Arithmetic and functions: null in, null out. Only `??`, if_null and isnull take nulls apart.
//   - A comparison (also !=, in, not in, startsWith and its kin) with a null on either side is false: absent is not
//     comparable. So `x != 5` is false for a null x, and so is `x not in [5]`.
//   - `x == nil` and `x != nil` ask whether x is null; so does isnull(x).
//   - and, or, not and the condition of a choice are two-valued: null counts as false. So `not (x > 5)` is true for a
//     null x although `x <= 5` is false; write the comparison that is meant.
//   - Division or remainder by zero, 0 to a negative power, the root or logarithm of what has none: null, never ±Inf.
//   - What Program.Num returns is finite or null: an overflow to ±Inf becomes null at the end of the expression.
//
// # Where it differs from the library's own machine
//
//   - Every number is a float64 (there, integers wrap round at 2^63).
//   - a % b takes fractions too and the sign of b (floor-mod: -1 % 24 is 23; there it is -1), so hours wrap the way
//     one wants.
//   - Nulls as above (there, nil in arithmetic is a runtime error, and nil == nil is the only comparison with it).
//
// Each product is rounded before it is added (float64(x*y)), so no compiler may fuse the two and results of arithmetic
// are the same bits on every machine. exp, log, pow and the trigonometry of haversine_km are as exact as Go's math
// package on the machine's architecture; between architectures they may differ in the last bit.
//
// # Imports
//
// The standard library, and parser, ast and file (locations of errors) of github.com/expr-lang/expr; nothing
// of freshet. Start reading at expr.go, then compile.go. call.go reads one aggregation call of a `compute:` block.
package expr
