package streams

import (
	"github.com/cespare/xxhash/v2"

	"freshet/features/agg"
	"freshet/schemas"
)

// buildVector lists the columns that models may use and those of the features topic, and names them by a fingerprint.
func (c *compiler) buildVector() {
	l := c.rows[c.ev].layout
	seen := map[int]bool{}
	for _, m := range c.models { // fields of the event that a model uses
		for i, col := range m.cols {
			if _, isField := m.featureWants[i].(string); !isField || seen[col] {
				continue
			}
			seen[col] = true
			kind := l.Cols[col].Kind
			v := VectorColumn{Name: l.Cols[col].Name, Kind: kind, Slot: l.Slot[col], Type: "double", Doc: "field of " + c.p.Events}
			if kind == schemas.Str {
				v.Type = "string"
			}
			if kind == schemas.Time {
				v.Doc += ", Unix milliseconds"
			}
			c.top.Vector = append(c.top.Vector, v)
		}
	}
	for _, e := range c.entities {
		slots, cols := c.keySlots(c.ev, e.key)
		for i, col := range cols {
			if name := l.Cols[col].Name; !c.hasFeatureCol(name) && name != "id" { // the id is a column of every vector
				c.top.FeatureCols = append(c.top.FeatureCols, FeatureCol{Name: name, Type: "string", Kind: schemas.Str, Slot: slots[i], Entity: -2, Doc: "names the entity " + e.name})
			}
		}
	}
	add := func(f FeatureCol) {
		c.top.FeatureCols = append(c.top.FeatureCols, f)
		c.top.Vector = append(c.top.Vector, VectorColumn{Name: f.Name, Kind: f.Kind, Slot: f.Slot, Type: f.Type, Doc: f.Doc})
	}
	for _, f := range c.features {
		t := "double"
		if f.result == agg.Long {
			t = "long"
		}
		add(FeatureCol{Name: f.name, Type: t, Kind: schemas.Num, Slot: l.Slot[f.col], Entity: f.entity, Doc: f.doc})
	}
	for i, d := range c.derived {
		doc := c.p.Derived[i].V
		if d.isBool() {
			doc += "; 1 if it holds, else 0"
		}
		add(FeatureCol{Name: d.name, Type: "double", Kind: schemas.Num, Slot: l.Slot[d.col], Entity: -1, Doc: doc})
	}
	h := xxhash.New()
	for _, v := range c.top.Vector {
		h.WriteString(v.Name)
		h.Write([]byte{0, byte(v.Kind)})
	}
	c.top.Fingerprint = h.Sum64()
	c.watchColumns()
}

func (c *compiler) hasFeatureCol(name string) bool {
	for _, f := range c.top.FeatureCols {
		if f.Name == name {
			return true
		}
	}
	return false
}
