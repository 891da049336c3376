"""The pipeline gives what its parts give, put together by hand: frame by frame and bit for bit."""

from collections import defaultdict

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor
from edgegan.runtime.backends import open_backend
from edgegan.runtime.edit import align, blending
from edgegan.runtime.edit.labels import Labels, Memory
from edgegan.runtime.faces.finder import FaceFinder
from edgegan.runtime.faces.tracking import Sighting, Tracker
from edgegan.runtime.live.sources.synthetic import Synthetic
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.image import postprocess, preprocess

CHANGES = {"Smiling": 1.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=32))


def clip(frames):
    """Two drawn people side by side; in the middle another pair comes with a cut."""
    pytest.importorskip("resvg_py", reason="the avatars extra is not installed")
    cameras = [Synthetic((240, 240), seed=seed) for seed in (2, 5, 7, 9)]
    pairs = [cameras[:2] if i < frames // 2 else cameras[2:] for i in range(frames)]
    return [np.hstack([camera.frame_at(i) for camera in pair]) for i, pair in enumerate(pairs)]


def test_a_clip_of_faces(model):
    classifier = model.companion("classifier")
    card, finder, tracker, memories = model.card, FaceFinder(), Tracker(), defaultdict(Memory)
    frames, painted = clip(24), 0
    with (
        Editor.open(model, backend="onnxruntime") as editor,
        open_backend(model, backend="onnxruntime") as network,
        open_backend(classifier, backend="onnxruntime") as estimator,
    ):
        labels = Labels(card.condition, classifier.card, estimator)
        for i, frame in enumerate(frames):
            expected = frame.copy()
            for track in tracker.follow(frame, i / 30, [Sighting(i / 30, finder.find(frame))]):
                crop, matrix = align.crop(frame, track.face, card)
                (vector,) = card.condition.vectors(labels.follow(memories[track], crop), CHANGES)
                tensors = network.run({"image": preprocess(card, crop), "label": np.array([vector], np.float32)})
                edited = postprocess(card, tensors[card.outputs[0].name])
                mask = blending.face_feather(crop.shape[:2], card.alignment.margin, track.face, matrix)
                blending.blend(expected, crop, edited, matrix, mask * np.float32(track.strength))
                painted += 1
            assert np.array_equal(editor.edit(frame, CHANGES, timestamp=i / 30), expected)
    assert painted > len(frames)  # both faces of most frames


def test_whole_frames(tmp_path):
    model = load(tiny_models.write_whole_frame(tmp_path, hw=(32, 48), multiple=4))
    frame = np.random.default_rng(0).integers(0, 256, (90, 150, 3), dtype=np.uint8)
    with Editor.open(model, backend="onnxruntime") as editor, open_backend(model, backend="onnxruntime") as network:
        crop, matrix = align.whole(frame, align.work_size(frame.shape[:2], model.card.size))
        tensors = network.run({model.card.inputs[0].name: preprocess(model.card, crop)})
        edited, expected = postprocess(model.card, tensors[model.card.outputs[0].name]), frame.copy()
        blending.blend(expected, crop, edited, matrix, None)
        assert np.array_equal(editor.edit(frame, {}, timestamp=0.0), expected)
        assert np.array_equal(editor.edit_batch([frame, frame], {})[1], expected)
    assert (expected != frame).any()
