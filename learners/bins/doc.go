// Package bins codes the features of an example as small whole numbers, once for all the trees that learn from it.
//
//	x ──Observe──► Grid: cuts at quantiles of what was seen ──Code──► one byte a feature ──► histograms of trees
//	                 └─ now and then new cuts ──Move──► histograms carried over to them
//
// Cuts lie half-way between neighbouring values of a bounded sample, so a feature of few distinct values is coded
// exactly. Trees keep their thresholds as numbers: new cuts change where the next split can be, never where an example
// goes. Imports flat, numeric, scale and wire. Start with Grid.
package bins
