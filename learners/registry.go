package learners

import (
	"fmt"
	"math"
	"strings"

	"freshet/learners/linear"
	"freshet/learners/param"
	"freshet/learners/tree"
)

// Entry is one line of the table: a learner by name, its parameters and how to make one.
type Entry struct {
	Name      string
	Doc       string // one sentence
	Reference string // paper or system that it follows
	Params    []param.Param

	// Either may be nil: the method has no such form.
	classifier func(in Input, classes int, v param.Values) (Classifier, error)
	regressor  func(in Input, v param.Values) (Regressor, error)
}

// Classifies reports whether the learner can be made as a classifier.
func (e Entry) Classifies() bool { return e.classifier != nil }

// Regresses reports whether the learner can be made as a regressor.
func (e Entry) Regresses() bool { return e.regressor != nil }

// Registry returns the table of learners, in the order in which documentation lists them.
func Registry() []Entry {
	return []Entry{
		{
			Name: "logistic", Params: linearParams(),
			Doc:       "Logistic regression (softmax for more than two classes) by stochastic gradient descent, inputs standardised on the way.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LogisticRegression(SGD)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				o := linearOptions(in, v)
				o.Classes = classes
				return linear.NewLogistic(o)
			},
		},
		{
			Name: "linear", Params: linearParams(),
			Doc:       "Least squares regression by stochastic gradient descent, inputs standardised on the way.",
			Reference: "Bottou 2010; agrees with River's StandardScaler | LinearRegression(SGD)",
			regressor: func(in Input, v param.Values) (Regressor, error) { return linear.NewLinear(linearOptions(in, v)) },
		},
		{
			Name: "hoeffding_tree", Params: treeParams(),
			Doc:       "Decision tree that splits a leaf when the Hoeffding bound says that its best split is the best; naive Bayes at the leaves where it is better.",
			Reference: "Domingos, Hulten 2000 (VFDT); Holmes, Kirkby, Pfahringer 2005 (adaptive leaves); Kirkby 2007 (memory)",
			classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
				return tree.New(treeOptions(in, classes, v))
			},
		},
	}
}

func linearParams() []param.Param {
	return []param.Param{
		{Name: "rate", Kind: param.Float, Default: "0.01", Min: 1e-9, Max: 10, Doc: "learning rate of the weights"},
		{Name: "schedule", Kind: param.Choice, Default: "constant", Choices: []string{"constant", "invscaling"}, Doc: "constant, or rate/(t+1)^power with t the examples learned"},
		{Name: "power", Kind: param.Float, Default: "0.5", Min: 0.01, Max: 1, Doc: "exponent of invscaling"},
		{Name: "optimizer", Kind: param.Choice, Default: "sgd", Choices: []string{"sgd", "adagrad"}, Doc: "plain steps, or steps divided by the root of each weight's summed squared gradients"},
		{Name: "l2", Kind: param.Float, Default: "0", Min: 0, Max: 1e3, Doc: "penalty l2/2*|w|^2 on the columns an example has"},
		{Name: "intercept_rate", Kind: param.Float, Default: "0.01", Min: 0, Max: 10, Doc: "learning rate of the intercept, constant; 0 means no intercept"},
		{Name: "clip_gradient", Kind: param.Float, Default: "1e12", Min: 1e-9, Max: 1e15, Doc: "limit of the loss gradient times the weight"},
		{Name: "scale", Kind: param.Choice, Default: "standard", Choices: []string{"standard", "minmax", "none"}, Doc: "running scaling of numeric features, updated before the model learns"},
		{Name: "clip", Kind: param.Float, Default: "0", Min: 0, Max: math.MaxFloat32, Doc: "limit of the magnitude of a scaled feature; 0 means none; 5 tames regressions with outliers, but hides large amounts"},
		{Name: "missing", Kind: param.Choice, Default: "zero", Choices: []string{"zero", "mean"}, Doc: "what a missing number stands for: 0 before scaling, or the mean"},
		{Name: "max_categories", Kind: param.Int, Default: "1024", Min: 1, Max: 1 << 20, Doc: "bound of one-hot columns of a nominal feature; more are hashed into it"},
	}
}

func linearOptions(in Input, v param.Values) linear.Options {
	o := linear.Options{
		Features: in.Features, Nominal: in.Nominal, MaxCategories: v.Int("max_categories"),
		Rate: v.Float("rate"), Power: v.Float("power"), L2: v.Float("l2"),
		InterceptRate: v.Float("intercept_rate"), ClipGradient: v.Float("clip_gradient"), Clip: v.Float("clip"),
	}
	if o.InterceptRate == 0 {
		o.InterceptRate = -1
	}
	if v.Choice("schedule") == "invscaling" {
		o.Schedule = linear.InvScaling
	}
	if v.Choice("optimizer") == "adagrad" {
		o.Optimizer = linear.AdaGrad
	}
	if v.Choice("missing") == "mean" {
		o.Missing = linear.MissingMean
	}
	switch v.Choice("scale") {
	case "minmax":
		o.Scale = linear.MinMax
	case "none":
		o.Scale = linear.Raw
	}
	return o
}

func treeParams() []param.Param {
	return []param.Param{
		{Name: "grace_period", Kind: param.Int, Default: "200", Min: 1, Max: 1e9, Doc: "weight that a leaf sees between two attempts to split"},
		{Name: "delta", Kind: param.Float, Default: "1e-7", Min: 1e-300, Max: 0.5, Doc: "allowed error of a split decision"},
		{Name: "tau", Kind: param.Float, Default: "0.05", Min: 0, Max: 1, Doc: "bound below which two splits are a tie and the first is taken"},
		{Name: "leaf_prediction", Kind: param.Choice, Default: "nba", Choices: []string{"mc", "nb", "nba"}, Doc: "majority class, naive Bayes, or at each leaf what was better so far"},
		{Name: "criterion", Kind: param.Choice, Default: "info_gain", Choices: []string{"info_gain", "gini"}, Doc: "measure of a split"},
		{Name: "candidates", Kind: param.Int, Default: "10", Min: 1, Max: 1000, Doc: "candidate thresholds of a numeric feature"},
		{Name: "max_depth", Kind: param.Int, Default: "64", Min: 1, Max: 64, Doc: "depth at which leaves no longer split"},
		{Name: "max_share_to_split", Kind: param.Float, Default: "0.99", Min: 0, Max: 1, Doc: "a leaf whose largest class has at least this share does not split; 1 with rare classes"},
		{Name: "min_branch_fraction", Kind: param.Float, Default: "0.01", Min: 0, Max: 0.5, Doc: "least share of a leaf's weight on each side of a split"},
		{Name: "max_categories", Kind: param.Int, Default: "64", Min: 2, Max: 4096, Doc: "bound of categories kept apart at a leaf; more are hashed into it"},
		{Name: "max_bytes", Kind: param.Int, Default: "33554432", Min: 4096, Max: 1 << 40, Doc: "memory bound: the least promising leaves stop collecting statistics, then splitting stops"},
	}
}

func treeOptions(in Input, classes int, v param.Values) tree.Options {
	o := tree.Options{
		Features: in.Features, Nominal: in.Nominal, Classes: classes,
		GracePeriod: v.Float("grace_period"), Delta: v.Float("delta"), Tau: v.Float("tau"), NoTies: v.Float("tau") == 0,
		Candidates: v.Int("candidates"), MaxDepth: v.Int("max_depth"), MaxShareToSplit: v.Float("max_share_to_split"),
		MinBranchFraction: v.Float("min_branch_fraction"), MaxCategories: v.Int("max_categories"), MaxBytes: v.Int("max_bytes"),
	}
	if o.MinBranchFraction == 0 {
		o.MinBranchFraction = -1
	}
	if o.MaxShareToSplit == 0 {
		o.MaxShareToSplit = math.SmallestNonzeroFloat64
	}
	switch v.Choice("leaf_prediction") {
	case "mc":
		o.Leaf = tree.Majority
	case "nb":
		o.Leaf = tree.NaiveBayes
	}
	if v.Choice("criterion") == "gini" {
		o.Criterion = tree.Gini
	}
	return o
}

// Lookup returns the entry of a name, or an error with the nearest one.
func Lookup(name string) (Entry, error) {
	table := Registry()
	names := make([]string, len(table))
	for i, e := range table {
		if e.Name == name {
			return e, nil
		}
		names[i] = e.Name
	}
	return Entry{}, fmt.Errorf("unknown learner %q%s", name, param.Suggest(name, names))
}

// Spec is a learner with all its parameters resolved.
type Spec struct {
	Entry  Entry
	Values param.Values
}

// Parse reads a learner's text: a name, or name(parameter=value, …). Errors name the position or the parameter, what
// was expected, and the nearest valid name.
func Parse(text string) (Spec, error) {
	name, raw, err := param.Parse(strings.TrimSpace(text))
	if err != nil {
		return Spec{}, fmt.Errorf("learner %w", err)
	}
	return FromMap(name, raw)
}

// FromMap is Parse for parameters that come from a YAML mapping.
func FromMap(name string, raw map[string]any) (Spec, error) {
	e, err := Lookup(name)
	if err != nil {
		return Spec{}, err
	}
	v, err := param.Resolve(e.Name, e.Params, raw)
	if err != nil {
		return Spec{}, err
	}
	return Spec{Entry: e, Values: v}, nil
}

// String is the canonical text: it parses back to the same spec. Snapshots store it.
func (s Spec) String() string { return s.Values.String() }

// NewClassifier makes an untrained classifier of so many classes.
func (s Spec) NewClassifier(in Input, classes int) (Classifier, error) {
	if s.Entry.classifier == nil {
		return nil, fmt.Errorf("%s is not a classifier; those are %s", s.Entry.Name, list(Entry.Classifies))
	}
	return s.Entry.classifier(in, classes, s.Values)
}

// NewRegressor makes an untrained regressor.
func (s Spec) NewRegressor(in Input) (Regressor, error) {
	if s.Entry.regressor == nil {
		return nil, fmt.Errorf("%s is not a regressor; those are %s", s.Entry.Name, list(Entry.Regresses))
	}
	return s.Entry.regressor(in, s.Values)
}

func list(is func(Entry) bool) string {
	var names []string
	for _, e := range Registry() {
		if is(e) {
			names = append(names, e.Name)
		}
	}
	return strings.Join(names, ", ")
}

// NewClassifier makes a classifier from a learner's text.
func NewClassifier(text string, in Input, classes int) (Classifier, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return s.NewClassifier(in, classes)
}

// NewRegressor makes a regressor from a learner's text.
func NewRegressor(text string, in Input) (Regressor, error) {
	s, err := Parse(text)
	if err != nil {
		return nil, err
	}
	return s.NewRegressor(in)
}
