package streams

import (
	"time"

	"freshet/features/expr"
)

// defaultAhead is how long after its event a record may become known where the pipeline does not say.
const defaultAhead = Duration(7 * 24 * time.Hour)

// parseLater reads the filters of later streams. It runs before everything that uses fields, so that the order of
// columns does not depend on who reads them first.
func (c *compiler) parseLater() {
	c.laterWhere = make([]*expression, len(c.top.Streams))
	for i, p := range c.top.Streams {
		if p.Kind == LaterStream && p.Base >= 0 {
			c.laterWhere[i] = c.parse("streams."+p.Name+".where", p.Spec.Where, p.Base, scope{}, expr.Bool)
		}
	}
}

// buildLater compiles when records of later streams are known.
func (c *compiler) buildLater() {
	for i, p := range c.top.Streams {
		if p.Kind != LaterStream || p.Base < 0 {
			continue
		}
		p.Where = c.build(c.laterWhere[i])
		if p.Spec.At != "" {
			if col := c.column(p.Base, p.Spec.At, wantTime); col >= 0 {
				p.AtSl = c.slot(p.Base, col)
			}
		}
	}
}
