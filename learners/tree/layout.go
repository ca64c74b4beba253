package tree

import (
	"fmt"
	"math"
)

// A slab holds the statistics of one active leaf, for the features that it watches (all of them, or its own subset):
//
//	head:   class -> weight, constant of naive Bayes, and whether that holds: 1, or 2 if some Gaussians are points
//	near:   class, Gaussian feature -> mean, -1/(2 variance)                        all that predicting reads
//	far:    class, Gaussian feature -> sum of squared deviations, min, max, weight of missing values
//	tables: nominal feature -> categories seen, class weights, (category, class) weights
//	        histogram       -> start, width of a bin, class weights, (bin, class) weights
const (
	headFloats = 3
	nearFloats = 2
	farFloats  = 4

	hWeight = 0
	hConst  = 1
	hReady  = 2

	fDev     = 0
	fMin     = 1
	fMax     = 2
	fMissing = 3
)

// layout is what follows from the options for all leaves.
type layout struct {
	categories []int   // of feature f; 0: numeric
	order      []int32 // features, those with Gaussians first
	gaussians  int     // how many those are
	maxFloats  int     // bound of all slabs
	maxRecords int
}

func newLayout(o Options, adaptive bool) (layout, error) {
	l := layout{categories: make([]int, o.Features)}
	for _, n := range o.Nominal {
		if n.Feature < 0 || n.Feature >= o.Features || l.categories[n.Feature] != 0 {
			return l, fmt.Errorf("tree: nominal feature %d of %d, expected each once, from 0", n.Feature, o.Features)
		}
		l.categories[n.Feature] = o.MaxCategories
		if n.Categories > 0 {
			l.categories[n.Feature] = max(2, min(n.Categories, o.MaxCategories))
		}
	}
	for _, nominal := range []bool{false, true} {
		for f, c := range l.categories {
			if (c > 0) == nominal {
				l.order = append(l.order, int32(f))
				if !nominal && o.Observer == Gaussian {
					l.gaussians++
				}
			}
		}
	}
	if err := l.bound(o, adaptive); err != nil {
		return l, err
	}
	return l, nil
}

// bound shares out the memory. For every two slabs there are records for three leaves, or for two leaves and two inner
// nodes of an adaptive tree, so that both are used up together; slices may double as they grow.
func (l *layout) bound(o Options, adaptive bool) error {
	need := l.size(l.order, l.gaussians, o)
	slab := 8 * need
	if o.Subset > 0 {
		slab = slab / o.Features * o.Subset
	}
	record := 2 * (2*nodeBytes + recordBytes + 8*o.Classes + 4*o.Subset)
	each := 3
	if adaptive {
		record += detectorBytes
		each = 4
	}
	l.maxRecords = min(o.MaxBytes/(2*slab+each*record)*each, (o.MaxBytes-16*need)/record, math.MaxInt32/4)
	l.maxFloats = (o.MaxBytes - l.maxRecords*record) / 8
	if l.maxFloats < need || l.maxRecords < 3 {
		return fmt.Errorf("tree: %d bytes are too few for %d features and %d classes, expected at least %d",
			o.MaxBytes, o.Features, o.Classes, 2*(8*need+each*record))
	}
	return nil
}

// size is the number of floats of a slab for features of which so many have Gaussians.
func (l *layout) size(features []int32, gaussians int, o Options) int {
	n := o.Classes * (headFloats + gaussians*(nearFloats+farFloats))
	for _, f := range features[gaussians:] {
		n += l.table(int(f), o)
	}
	return n
}

// table is the number of floats of a table.
func (l *layout) table(f int, o Options) int {
	if c := l.categories[f]; c > 0 {
		return 1 + o.Classes + c*o.Classes
	}
	return 2 + o.Classes + o.Bins*o.Classes
}
