// Package bayes holds Gaussian naive Bayes: class shares times, for each feature alone, the density of its value among
// the examples of the class.
//
//	x ──┬─ numbers:    one normal distribution a (class, feature), by Welford's recurrence
//	    └─ categories: one table of weights a feature, Laplace's rule
//	                 │
//	                 ▼ temper * (log prior + sum of log densities) ──softmax──► probabilities
//
// A class' logarithms of variances are kept as one sum, brought up to date when the class learns, so that predicting
// needs a multiplication a number and one exponential a class. Replicas merge exactly.
//
// Sources: Welford 1962; Chan, Golub, LeVeque 1979 (merging). Agrees with MOA's NaiveBayes and River's GaussianNB.
//
// Imports contract, numeric, scale and wire. Start with bayes.go.
package bayes
