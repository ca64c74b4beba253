package learners

func boostingEntries() []Entry { return nil }
