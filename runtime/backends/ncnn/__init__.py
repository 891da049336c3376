"""ncnn: small and quick to start, on CPUs; reads its own .param and .bin."""
