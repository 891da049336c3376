"""Frames that lie on an NVIDIA GPU, edited there: the small graphs of `data/frames` do what `align` and `blending` do."""
