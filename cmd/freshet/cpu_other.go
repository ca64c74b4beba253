//go:build !linux

package main

// threadCPU is the CPU time of the process in seconds: the best that other systems tell without cgo.
func threadCPU() float64 { return ownCPU() }

func processCPUNow() float64 { return ownCPU() }
