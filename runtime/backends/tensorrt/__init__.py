"""TensorRT and TensorRT for RTX: engines on an NVIDIA GPU."""
