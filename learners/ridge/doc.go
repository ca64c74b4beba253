// Package ridge is linear least squares on line, for leaves of trees and as the start of boosting.
//
//	(z, target, weight) ──Add──► sums of products ──Solve, now and then──► coefficients ──Predict──► estimate
//
// The sums are exact, so there is no learning rate to choose and nothing that can diverge; the price is inputs^2 a step,
// for up to a few dozen inputs. Inputs should be standardised. Imports scale and wire. Start with Model.
package ridge
