"""The forms of runtimes for phones and small machines: a float32 onnx.ModelProto -> MNN, ncnn. Needs no torch."""
