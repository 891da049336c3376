"""The face detector as ONNX: what OpenCV makes of the TFLite file, ONNX Runtime makes of ours."""

import numpy as np
import pytest
from support.needed import needed

needed("tflite", "export")

import onnxruntime  # noqa: E402

from edgegan.export.web.blazeface import convert_detector  # noqa: E402
from edgegan.runtime.errors import InputError  # noqa: E402
from edgegan.runtime.faces.finder import MODEL, FaceFinder  # noqa: E402


def test_it_computes_what_the_tflite_file_does():
    session = onnxruntime.InferenceSession(convert_detector(MODEL).SerializeToString())
    finder = FaceFinder()
    for seed in range(3):
        square = np.random.default_rng(seed).integers(0, 256, (128, 128, 3), dtype=np.uint8)
        raw, scores = finder._forward(square)
        image = square[:, :, ::-1].transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1)
        places, logits = session.run(["places", "scores"], {"image": image})
        assert np.abs(places.reshape(-1, 8, 2) - raw).max() < 1e-3
        assert np.abs(1 / (1 + np.exp(-logits.reshape(-1))) - scores).max() < 1e-5


def test_what_it_does_not_know_is_refused_in_words(monkeypatch):
    import tflite

    monkeypatch.setattr(tflite, "opcode2name", lambda code: "LSTM")
    with pytest.raises(InputError, match="the operator LSTM"):
        convert_detector(MODEL)
