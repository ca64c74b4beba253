package state

// Stats are counters since Open and sizes now, for metrics and inspection.
type Stats struct {
	Tasks, OpenTasks   int
	Commits, Syncs     uint64
	CommittedBytes     uint64 // of batches
	DiskBytes          int64
	WALBytes           int64
	MemTableBytes      int64
	BlockCacheBytes    int64
	BlockCacheHits     int64
	BlockCacheMisses   int64
	Compactions        int64
	CompactionDebt     int64 // bytes that wait for a compaction
	ReadAmplification  int
	Stalled            bool   // a write waits for room on the disk now
	Stalls             uint64 // times that the disk was found full
	WriteStalls        uint64 // times that Pebble held writes back for its flushes or compactions
	BackgroundErrors   uint64
	WriteAmplification float64
}

// Stats reads Pebble's metrics; it costs tens of microseconds. While the disk is full the sizes are those of an earlier call:
// Pebble would not answer. Zero after Close.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	counts := Stats{Tasks: len(s.known), OpenTasks: len(s.open), Commits: s.commits, Syncs: s.syncs, CommittedBytes: s.written}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return Stats{}
	}
	_, full := s.disk.stalled()
	if full == nil {
		s.measure()
	}
	var st Stats
	if last := s.sizes.Load(); last != nil {
		st = *last
	}
	st.Tasks, st.OpenTasks, st.Commits, st.Syncs, st.CommittedBytes =
		counts.Tasks, counts.OpenTasks, counts.Commits, counts.Syncs, counts.CommittedBytes
	st.Stalled, st.Stalls = full != nil, s.disk.stalls.Load()
	st.WriteStalls, st.BackgroundErrors = s.log.stalls.Load(), s.log.errors.Load()
	return st
}

// measure reads the sizes, unless someone is doing that, perhaps held up by a disk that has just become full.
func (s *Store) measure() {
	if !s.metricsMu.TryLock() {
		return
	}
	defer s.metricsMu.Unlock()
	if s.metricsOff {
		return
	}
	m := s.db.Metrics()
	total := m.Total()
	s.sizes.Store(&Stats{
		DiskBytes: int64(m.DiskSpaceUsage()), WALBytes: int64(m.WAL.Size), MemTableBytes: int64(m.MemTable.Size),
		BlockCacheBytes: m.BlockCache.Size, BlockCacheHits: m.BlockCache.Hits, BlockCacheMisses: m.BlockCache.Misses,
		Compactions: m.Compact.Count, CompactionDebt: int64(m.Compact.EstimatedDebt), ReadAmplification: m.ReadAmp(),
		WriteAmplification: total.WriteAmp(),
	})
}

// Bytes is the disk space in use by the database, its log included. 0 after Close.
func (s *Store) Bytes() int64 { return s.Stats().DiskBytes }
