"""Makes the models and predictions that the tests of this package compare with: LightGBM and XGBoost on made-up data.

usage: python make.py     (lightgbm, xgboost, numpy, scikit-learn; versions end up in predictions.json)
"""
import json

import lightgbm as lgb
import numpy as np
import xgboost as xgb

rng = np.random.default_rng(7)
N, F = 600, 6
X = np.round(rng.normal(size=(N, F)) * 3, 3)
X[:, 4] = rng.integers(0, 12, N)  # a category
X[rng.random((N, F)) < 0.05] = np.nan
X[:, 4] = np.where(np.isnan(X[:, 4]), 3, X[:, 4])
z = np.nan_to_num(X[:, 0]) - 0.5 * np.nan_to_num(X[:, 1]) + np.where(X[:, 4] % 3 == 0, 2, 0) + rng.normal(size=N)
binary, multi, number, counts = (z > 1).astype(int), np.digitize(z, [-1, 2]), z * 10, rng.poisson(np.exp(np.clip(z / 4, -3, 3)))
names = [f"f{i}" for i in range(F)]
out = {"versions": {"lightgbm": lgb.__version__, "xgboost": xgb.__version__, "numpy": np.__version__}, "x": X[:200].tolist(), "models": {}}
for row in out["x"]:
    for i, v in enumerate(row):
        if v != v:
            row[i] = None


def light(name, y, cat=True, **params):
    d = lgb.Dataset(X, y, feature_name=names, categorical_feature=[4] if cat else [])
    p = dict(verbose=-1, num_leaves=7, min_data_in_leaf=5, seed=1, num_threads=1, deterministic=True, max_cat_to_onehot=1, min_data_per_group=5) | params
    m = lgb.train(p, d, num_boost_round=8)
    m.save_model(name + ".txt")
    out["models"][name + ".txt"] = {"p": m.predict(X[:200]).tolist(), "contrib": m.predict(X[:5], pred_contrib=True).tolist()}


light("lightgbm_binary", binary, objective="binary")
light("lightgbm_multiclass", multi, objective="multiclass", num_class=3)
light("lightgbm_regression", number, objective="regression")
light("lightgbm_poisson", counts, objective="poisson")
light("lightgbm_forest", binary, cat=False, objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6)
light("lightgbm_nomissing", number, cat=False, objective="regression_l1", use_missing=False)


def boost(name, y, **params):
    d = xgb.DMatrix(X, y, feature_names=names, feature_types=["q"] * 4 + ["c", "q"], enable_categorical=True)
    t = xgb.DMatrix(X[:200], feature_names=names, feature_types=["q"] * 4 + ["c", "q"], enable_categorical=True)
    m = xgb.train(dict(max_depth=4, seed=1, nthread=1, max_cat_to_onehot=3) | params, d, num_boost_round=6)
    m.save_model(name + ".json")
    out["models"][name + ".json"] = {"p": m.predict(t).astype(float).tolist()}


boost("xgboost_binary", binary, objective="binary:logistic")
boost("xgboost_multiclass", multi, objective="multi:softprob", num_class=3)
boost("xgboost_regression", number, objective="reg:squarederror")
boost("xgboost_poisson", counts, objective="count:poisson")
boost("xgboost_dart", binary, objective="binary:logistic", booster="dart", rate_drop=0.3)
with open("predictions.json", "w") as f:
    json.dump(out, f)
