// Package simulate makes workloads: seeded streams of card payments with fraud in them, for `freshet demo`, for tests and
// for benchmarks. It stands at the head of the line, in the place of the world:
//
//	Cards ──┬── Transaction ──► topic transactions ──► ... features, predictions
//	        └── Chargeback  ──► topic chargebacks  ──► ... labels, 1 to 72 h later
//	W     ───── Payment     ──► topic transactions         (the fixed workload that speed is measured on)
//
// The same Options give the same events to the byte, on every machine: the generators own their random numbers (PCG-DXSM of
// math/rand/v2, whose output is specified), their logarithm and exponential are written here from the four operations
// alone, with every product rounded explicitly so that no compiler fuses it, and nothing depends on the order of a map.
// Memory is bounded by Options (cards, merchants, and what is on its way: disorder and chargebacks not yet reported).
// Next allocates nothing once its buffers have grown.
//
// # The world of Cards
//
//	cards       5,000; activity Zipf-like (exponent 0.9, flattened: the busiest is about 20 times the median); a home city
//	            and a position in it, a typical amount, 8 shops and 4 online merchants it prefers
//	cities      16 in 10 countries, each with its time zone; people live by local time: quiet nights, lunch and evening peaks
//	weekends    a factor of each card's own, 0.6 to 1.5
//	merchants   1,000 in 8 categories (typical amount, channel pos, ecom, atm or moto); popularity Zipf; some open half way
//	trips       now and then a card goes to another city for some days
//	arrival     in order but for a delay of up to Disorder (5 s); most events are late by less than 0.3 s
//
// # Fraud
//
// About 1 % of the transactions (FraudRate) come from episodes:
//
//	stolen      a burst of 4 to 10 payments within minutes, far away from home, 1.5 to 4 times the usual amount
//	compromised a merchant leaks its customers' cards: 8 to 20 payments on up to 12 of them, most at that merchant
//	testing     3 to 6 tiny payments online, then one or two big ones
//	takeover    3 to 6 payments within hours, online, at merchants that the card never used
//	night       small amounts, online, at night, many cards with one payment each, at a merchant that opened lately
//
// Up to ShiftAt (half of the time) the first four are all there is. Then, within ShiftRamp, they fade to a quarter and the
// fifth takes their place, at the same overall rate: a model trained before is worse after (its error moves: ADWIN). At the
// same time honest customers move online and spend less there (features move: PSI; ecom goes from about 22 % to about 50 %).
//
// Chargebacks: 97 % of the fraudulent payments are reported, 1 to 72 h later (log-uniform); besides, 0.03 % of the honest ones
// are disputed (is_fraud 0, reason "dispute") and 0.01 % wrongly reported (is_fraud 1, reason "first_party").
//
// It imports nothing of freshet. Start reading at cards.go; people.go is the world, fraud.go the episodes, w.go the other one.
package simulate
