// Package serve is the HTTP server of a running pipeline: the features of an entity as of now, the score of an event that is not
// stored, the models in force, health and metrics.
//
// On the line it stands beside the tasks: it reads what they hold, through a Backend, and changes nothing.
//
//	            ┌─ GET  /v1/features/{entity}/{key} ──► Backend.Features ──► a task's state here
//	client ─────┤                                            └─ not here ──► Options.Stored ──► online store
//	            ├─ POST /v1/score ────────────────────► Backend.Score ─────► vector, rules, models; nothing is kept; ?explain=true: contributions too
//	            ├─ GET  /v1/models
//	            └─ GET  /healthz  /readyz  /metrics  /openapi.json
//
// The contract is openapi.json, embedded; a test sends requests to every route and holds the answers against its schemas. Errors are
// one object, {"error": {"code", "message", ...}}, with a code of a fixed list and a message that says what was expected.
//
// Everything is bounded by Options: body, header, times, and requests in flight (more get 503 at once, since a caller that decides on a
// payment prefers an answer without features to a late one). Health and metrics are outside that bound, so that an overloaded process
// still looks alive.
//
// May import: streams, schemas/json, the standard library.
//
// Start at routes.go.
package serve
