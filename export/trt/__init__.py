"""TensorRT engines: built in a process of their own, checked, and built again elsewhere."""
