"""Frames that lie on an NVIDIA GPU, edited there: the graphs of `data/frames` do what `align` and `blending` do."""
