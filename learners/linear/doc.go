// Package linear holds the linear learners: logistic and softmax regression for classes, least squares for numbers,
// trained one example at a time by stochastic gradient descent.
//
//	x ──► columns: one a numeric feature, a block of one-hot columns a nominal one
//	        │ scale (running mean and sd), clip
//	        ▼
//	        z·w + b ──► sigmoid / softmax / identity
//
// # Order inside Learn
//
// It matters to the last digit, so it is part of the contract:
//
//  1. refuse what cannot be learned (weight, class or target): no change at all;
//  2. the scaler takes in x; 3. z is computed with the new scaler; 4. the prediction with the old weights;
//  5. the gradient of the loss by the prediction, times the example's weight, limited to ±ClipGradient;
//  6. the intercept, with its own rate; 7. the weights, with gradient·z + L2·w.
//
// Prediction uses the scaler as it stands and changes nothing, so any number of goroutines may predict while none
// learns. Missing numbers count as 0 before scaling (Missing: zero) or as the mean (mean); a missing category has no
// column. The defaults are those of River's StandardScaler | LogisticRegression / LinearRegression (SGD) and agree
// with it.
//
// Imports numeric, scale and wire. Start with core.go.
package linear
