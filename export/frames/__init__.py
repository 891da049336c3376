"""The small graphs that cut faces out of frames on a GPU and put them back: made here, shipped in `runtime/data/frames`.

They do what `runtime/edit/align.py` and `runtime/edit/blending.py` do, in operators that ONNX Runtime has on CUDA.
"""
