// Package pipelines holds the pipeline files that freshet is shipped with. `freshet demo` runs fraud.yaml from here, so that it works
// from the binary alone. It imports nothing.
package pipelines

import "embed"

// FS has the pipeline files by name: fraud.yaml, handbook.yaml, flights.yaml, taxi.yaml.
//
//go:embed *.yaml
var FS embed.FS
