package main

import "golang.org/x/sys/unix"

// threadCPU is the CPU time of the calling thread in seconds, to the nanosecond: getrusage knows it to the tick only,
// which is longer than a chunk of rows takes.
func threadCPU() float64 { return cpuClock(unix.CLOCK_THREAD_CPUTIME_ID) }

// processCPUNow is that of the whole process.
func processCPUNow() float64 { return cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func cpuClock(id int32) float64 {
	var t unix.Timespec
	if unix.ClockGettime(id, &t) != nil {
		return ownCPU()
	}
	return float64(t.Nano()) / 1e9
}
