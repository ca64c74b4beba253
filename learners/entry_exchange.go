package learners

import (
	"fmt"
	"os"

	"freshet/learners/contract"
	"freshet/learners/exchange"
	"freshet/learners/param"
)

func exchangeEntries() []Entry {
	return []Entry{{
		Name: "imported", Frozen: true,
		Doc:       "A forest or gradient-boosted model that LightGBM (text) or XGBoost (JSON) trained: it scores beside the online learners and never learns.",
		Reference: "LightGBM v2 to v4 model text; XGBoost 1.x to 3.x model JSON",
		Params:    []param.Param{{Name: "file", Kind: param.Text, Doc: "path of the model file, without brackets, commas or ="}},
		classifier: func(in Input, classes int, v param.Values) (Classifier, error) {
			m, err := imported(in, v)
			if err == nil && m.Classes() != classes {
				err = fmt.Errorf("imported: %s has %d classes (0: a regressor), expected %d", v.Text("file"), m.Classes(), classes)
			}
			return exchange.Classifier{Trees: m}, err
		},
		regressor: func(in Input, v param.Values) (Regressor, error) {
			m, err := imported(in, v)
			if err == nil && m.Classes() != 0 {
				err = fmt.Errorf("imported: %s is a classifier of %d classes, expected a regressor", v.Text("file"), m.Classes())
			}
			return exchange.Regressor{Trees: m}, err
		},
	}}
}

// imported reads the file when the learner is made: what was trained elsewhere is part of the configuration.
func imported(in contract.Input, v param.Values) (*exchange.Trees, error) {
	path := v.Text("file")
	if path == "" {
		return nil, fmt.Errorf("imported: file is missing: expected the path of a LightGBM or XGBoost model")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("imported: %w", err)
	}
	e, err := exchange.Read(data)
	if err != nil {
		return nil, fmt.Errorf("imported: %s: %w", path, err)
	}
	m, err := exchange.NewTrees(e, in)
	if err != nil {
		return nil, fmt.Errorf("imported: %s: %w", path, err)
	}
	return m, nil
}
