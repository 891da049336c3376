"""MNN: Winograd convolutions on CPUs; reads its own .mnn files."""
