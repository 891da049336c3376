"""NVIDIA's part of a machine: its libraries, the CUDA runtime, and which extra fits."""
