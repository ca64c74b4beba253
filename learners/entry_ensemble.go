package learners

func ensembleEntries() []Entry { return nil }
