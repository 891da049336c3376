"""The forms of runtimes for phones and small machines: MNN, ncnn from float32 ONNX; LiteRT from torch.export."""
