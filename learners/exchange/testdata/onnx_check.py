"""Runs an ONNX model in onnxruntime: python onnx_check.py MODEL.onnx ROWS.json -> the outputs as JSON (null = missing)."""
import json
import sys

import numpy as np
import onnxruntime as ort

rows = np.array([[np.nan if v is None else v for v in r] for r in json.load(open(sys.argv[2]))], dtype=np.float64)
s = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
names = [o.name for o in s.get_outputs()]
json.dump({n: v.tolist() for n, v in zip(names, s.run(None, {"X": rows}))}, sys.stdout)
