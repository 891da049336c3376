"""LiteRT, once TensorFlow Lite: XNNPACK on CPUs; reads its own .tflite files."""
