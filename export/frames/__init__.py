"""The small graphs that cut crops out of frames on a GPU and put changes back, kept in `runtime/data/frames`.

They do what `runtime/edit/align.py` and `runtime/edit/blending.py` do, in operators that ONNX Runtime has on CUDA.
"""
