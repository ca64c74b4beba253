package learners

import (
	"strings"
	"testing"
)

func TestMemoryIsSharedOut(t *testing.T) {
	for text, want := range map[string]string{
		"hoeffding_tree":                                         "hoeffding_tree(max_bytes=1e+06)",
		"hoeffding_tree(max_bytes=77777)":                        "hoeffding_tree(max_bytes=77777)",
		"calibrated(base=scaled(base=hoeffding_tree),memory=50)": "calibrated(base=scaled(base=hoeffding_tree(max_bytes=1e+06)),memory=50)",
		"logistic": "logistic",
	} {
		s, err := memberSpec(text, 1_000_000)
		if err != nil || s.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, s, err, want)
		}
	}
}

func TestLearnersInsideEachOtherAreBounded(t *testing.T) {
	for _, text := range []string{
		"online_bagging(members=1000,base=online_bagging(members=1000))",
		"leveraging_bagging(base=streaming_random_patches(base=adwin_bagging(base=online_bagging)))",
		"online_bagging(members=1000,base=hedge(experts=[logistic,logistic,logistic,logistic,logistic]))",
	} {
		if _, err := NewClassifier(text, Input{Features: 3}, 2); err == nil || !strings.Contains(err.Error(), "learners inside each other") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := NewClassifier("leveraging_bagging(members=5,base=calibrated(base=hedge(experts=[logistic,hoeffding_tree])))", Input{Features: 3}, 2); err != nil {
		t.Error(err)
	}
}

// TestMembersDiffer: members that have a seed get one each; a seed that was chosen stays.
func TestMembersDiffer(t *testing.T) {
	s, err := Parse("online_bagging(base=logistic)")
	if err != nil {
		t.Fatal(err)
	}
	a, _ := seeded(s, 5)
	b, _ := seeded(s, 6)
	if a.String() == b.String() {
		t.Error("two seeds, one member:", a)
	}
	s, _ = Parse("online_bagging(base=logistic,seed=9)")
	if a, _ := seeded(s, 5); a.String() != s.String() {
		t.Error("a chosen seed was replaced:", a)
	}
}
