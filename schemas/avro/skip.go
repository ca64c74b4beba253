package avro

// variable is the size of what has no constant size.
const variable = -1

// inlineCost is how many steps a record may take before it becomes a subroutine.
const inlineCost = 32

// constSize is how many bytes every value of n has, or variable.
func (c *compiler) constSize(n *node, depth int) int {
	switch n.kind {
	case kNull:
		return 0
	case kBoolean:
		return 1
	case kFloat:
		return 4
	case kDouble:
		return 8
	case kFixed:
		return n.size
	case kRecord:
		if depth > 32 || c.steps(n) > inlineCost {
			return variable
		}
		sum := 0
		for i := range n.fields {
			s := c.constSize(n.fields[i].typ, depth+1)
			if s == variable {
				return variable
			}
			sum += s
		}
		return sum
	}
	return variable
}

// steps estimates how many steps it takes to skip n; a record within itself takes too many.
func (c *compiler) steps(n *node) int {
	if s, ok := c.cost[n]; ok {
		return s
	}
	const tooMany = inlineCost + 1
	c.cost[n] = tooMany
	sum := 1
	for i := range n.fields {
		sum += c.steps(n.fields[i].typ)
	}
	for _, b := range n.branches {
		sum += c.steps(b) + 1
	}
	sum = min(sum, tooMany)
	c.cost[n] = sum
	return sum
}

// skip compiles passing over a value.
func (c *compiler) skip(n *node) {
	if len(c.ops) > maxOps {
		return
	}
	if size := c.constSize(n, 0); size != variable {
		if last := len(c.ops) - 1; size > 0 && last >= c.label && c.ops[last].code == opSkip && c.ops[last].n+int32(size) < maxFixed {
			c.ops[last].n += int32(size)
		} else if size > 0 {
			c.emit(op{code: opSkip, n: int32(size), col: -1})
		}
		return
	}
	switch n.kind {
	case kInt, kLong, kEnum:
		c.emit(op{code: opSkipLong, col: -1})
	case kBytes, kString:
		c.emit(op{code: opSkipBytes, col: -1})
	case kArray, kMap:
		o := op{code: opSkipArray, slot: variable, n: -1, col: -1}
		if n.kind == kArray {
			o.slot = int32(c.constSize(n.items, 0))
		}
		if o.slot == variable {
			o.n = c.subroutine(n, func() {
				if n.kind == kMap {
					c.emit(op{code: opSkipBytes, col: -1})
				}
				c.skip(n.items)
			})
		}
		c.emit(o)
	case kUnion:
		c.skipUnion(n)
	case kRecord:
		if c.steps(n) <= inlineCost {
			for i := range n.fields {
				c.skip(n.fields[i].typ)
			}
			return
		}
		sub := c.subroutine(n, func() {
			for i := range n.fields {
				c.skip(n.fields[i].typ)
			}
		})
		c.emit(op{code: opCall, n: sub, col: -1})
	}
}

func (c *compiler) skipUnion(n *node) {
	if t, null := n.nullable(); t != nil {
		start := c.emit(op{code: opNullable, slot: null, col: -1})
		c.here()
		c.skip(t)
		c.ops[start].n = c.here()
		return
	}
	table := make([]int32, len(n.branches))
	c.emit(op{code: opUnion, n: int32(len(c.p.tables)), col: -1})
	c.p.tables = append(c.p.tables, table)
	var ends []int
	for i, b := range n.branches {
		table[i] = c.here()
		c.skip(b)
		if i < len(n.branches)-1 {
			ends = append(ends, c.emit(op{code: opJump}))
		}
	}
	end := c.here()
	for _, e := range ends {
		c.ops[e].n = end
	}
}

// subroutine compiles body once for n and returns its index.
func (c *compiler) subroutine(n *node, body func()) int32 {
	if i, ok := c.sub[n]; ok {
		return i
	}
	i := int32(len(c.p.subs))
	c.sub[n] = i
	c.p.subs = append(c.p.subs, nil)
	ops, label := c.ops, c.label
	c.ops, c.label = nil, 0
	body()
	c.p.subs[i] = c.ops
	c.ops, c.label = ops, label
	return i
}
