"""What a face already is, steady over a video."""

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.backends import open_backend
from edgegan.runtime.edit import labels
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.condition import Condition

SIZE = 32


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    model = load(tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE))
    classifier = model.companion("classifier")
    with open_backend(classifier, "onnxruntime") as backend:
        yield labels.Labels(model.card.condition, classifier.card, backend)


def crop(red=60, green=60, blue=60):
    return np.full((SIZE, SIZE, 3), (blue, green, red), np.uint8)


def test_labels_are_consistent_in_exclusive_groups():
    condition = Condition(kind="binary", names=("a", "b", "c"), groups=(("a", "b"),), default=(1.0, 0.0, 0.0))
    assert labels.decide(condition, {"a": 0.2, "b": 0.3, "c": 0.7}) == {"a": 0.0, "b": 1.0, "c": 1.0}
    assert labels.decide(condition, {"a": 0.9, "b": 0.8, "c": 0.1}) == {"a": 1.0, "b": 0.0, "c": 0.0}


def test_a_flicker_of_the_classifier_does_not_reach_the_label(estimator):
    here, there = labels.Memory(), labels.Memory()
    smiles, serious = crop(blue=134), crop(blue=122)  # on both sides of the classifier's 127.5
    for picture in [smiles] * 6 + [serious] + [smiles]:
        assert estimator.follow(here, picture)["Smiling"] == 1.0
        assert estimator.follow(there, serious)["Smiling"] == 0.0  # each face has labels of its own
    for _ in range(40):
        last = estimator.follow(here, serious)
    assert last["Smiling"] == 0.0  # a lasting change does


def test_a_face_that_does_not_change_is_estimated_rarely(estimator, monkeypatch):
    asked, estimate, memory = [], estimator.estimate, labels.Memory()
    monkeypatch.setattr(estimator, "estimate", lambda picture: (asked.append(memory.frames), estimate(picture))[1])
    for _ in range(60):
        estimator.follow(memory, crop(blue=134))
    assert asked == [*range(9), 33, 58]
    for _ in range(65):
        estimator.follow(memory, crop(blue=122))
    assert asked[11:] == [83, 88, 93, 118]  # soon again until the label has followed


def test_another_person_in_the_same_place_has_labels_of_their_own_at_once(estimator):
    memory = labels.Memory()
    for _ in range(12):
        estimator.follow(memory, crop(blue=200))
    assert estimator.follow(memory, crop(red=200))["Smiling"] == 0.0
    assert memory.frames == 1
