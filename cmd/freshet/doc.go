// Command freshet turns streams of raw events into features, predictions and drift events.
//
//	check, plan    the pipeline file: what is wrong with it, what it will do            check.go plan.go
//	run            the pipeline on Kafka, a schema registry and Redis                   run.go ──┐
//	demo           the same on an in-process broker, with a workload made here          demo.go ─┴─ node.go
//	backfill       the same plan over files                                             backfill.go
//	replay         rows of files to topics, in event-time order                         replay.go merge.go
//	eval           learners side by side over a file, test-then-train                   eval.go evaldata.go evalrun.go evalreport.go plot.go
//	detect         drift detectors over a column of a file                              detect.go compare.go
//	measure        all metrics of a file of scores, predictions or intervals            measure.go measurements.go versus.go
//	learners, detectors, aggregations   the registries                                  registries.go
//	get            one entity, from a running process or from the store                 get.go stored.go
//
// One file a verb. What run and demo share stands in node.go (the parts and their order of start and stop), backend.go (what the
// HTTP server reads), observe.go (counters to metrics) and online.go (the engine's sink to the store's writer); app.go has what every
// verb needs: output, exit codes, signals.
//
// Exit codes: 0 done or cleanly stopped, 1 failed, 2 wrong usage or configuration.
//
// May import everything of ours. Start at main.go.
package main
