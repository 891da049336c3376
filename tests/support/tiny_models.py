"""Small real models with cards, for tests: an editor that adds a colour for each label, and its classifier.

`edited = clip(image + sum of label[i] * COLOURS[i], -1, 1)` in RGB, so every answer can be worked out by hand.
The classifier finds attribute i on when the mean of channel i % 3 is above 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import payload_sha256
from edgegan.runtime.model.card import METADATA_KEY, Alignment, ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.model.onnxfile import seal_model

NAMES = ("Blond_Hair", "Brown_Hair", "Smiling")
GROUPS = (("Blond_Hair", "Brown_Hair"),)
COLOURS = np.array([[0.5, 0.4, 0.0], [0.3, -0.2, -0.4], [-0.25, 0.25, 0.5]], np.float32)  # RGB, in [-1, 1] units
ALIGNMENT = Alignment(left_eye=(0.39, 0.45), right_eye=(0.61, 0.45), margin=0.1)
OPSET = 18


def write_editor(folder: Path, *, size: int = 32, classifier: bool = True, pairs: int = 4, **card: Any) -> Path:
    """Writes `model.onnx` with its card (and `classifier.onnx`, and `golden.npz` if `pairs`); returns its path.

    `card` overrides fields of the card, after the hash was taken.
    """
    image, label = _image(size), _label(NAMES)
    edited = msgspec.structs.replace(image, name="edited")
    nodes = [
        helper.make_node("Conv", ["image", "identity"], ["same"]),
        helper.make_node("MatMul", ["label", "colours"], ["flat"]),
        helper.make_node("Reshape", ["flat", "as_pixel"], ["colour"]),
        helper.make_node("Add", ["same", "colour"], ["sum"]),
        helper.make_node("Clip", ["sum", "low", "high"], ["edited"]),
    ]
    constants = {
        "identity": np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1),
        "colours": COLOURS,
        "as_pixel": np.array([1, 3, 1, 1], np.int64),
        "low": np.array(-1, np.float32),
        "high": np.array(1, np.float32),
    }
    fields: dict[str, Any] = {
        "name": "tiny-editor",
        "family": "tiny",
        "task": "translate",
        "domain": "drawn faces",
        "condition": _condition(),
        "faces": True,
        "alignment": ALIGNMENT,
        "companions": {"classifier": "classifier.onnx"} if classifier else {},
        "inputs": (image, label),
        "outputs": (edited,),
        "size": SizeRule(hw=(size, size)),
        "opset": OPSET,
    }
    path = _save(folder / "model.onnx", nodes, constants, fields, card)
    if classifier:
        write_classifier(folder, size=size)
    if pairs:
        rng = np.random.default_rng(0)
        images = rng.uniform(-1, 1, (pairs, 3, size, size)).astype(np.float32)
        labels = rng.integers(0, 2, (pairs, len(NAMES))).astype(np.float32)
        expected = np.clip(images + (labels @ COLOURS)[:, :, None, None], -1, 1)
        stored = golden.pack({"model": golden.Golden({"image": images, "label": labels}, {"edited": expected})})
        np.savez(folder / "golden.npz", **stored)
    return path


def write_classifier(folder: Path, *, size: int = 32, **card: Any) -> Path:
    """Writes `classifier.onnx` with its card; returns its path."""
    weights = np.zeros((3, len(NAMES)), np.float32)
    weights[np.arange(len(NAMES)) % 3, np.arange(len(NAMES))] = 20.0
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["label"]),
    ]
    fields: dict[str, Any] = {
        "name": "tiny-classifier",
        "family": "tiny",
        "task": "classify",
        "condition": _condition(),
        "inputs": (_image(size),),
        "outputs": (_label(NAMES),),
        "size": SizeRule(hw=(size, size)),
        "opset": OPSET,
    }
    return _save(folder / "classifier.onnx", nodes, {"weights": weights}, fields, card)


def write_whole_frame(folder: Path, *, hw: tuple[int, int] = (32, 48), multiple: int = 0, **card: Any) -> Path:
    """Writes a `model.onnx` that takes whole frames and no label: it turns a picture into its negative.

    With `multiple`, it takes every size whose sides are multiples of that, and fails on all others.
    """
    image = _image(hw[0], hw[1])
    size = SizeRule(hw=hw)
    nodes = [helper.make_node("Neg", ["image"], ["edited"])]
    if multiple:
        image = msgspec.structs.replace(image, shape=(1, 3, "height", "width"))
        size = SizeRule(kind="multiple_of", hw=hw, multiple=multiple)
        nodes = [
            helper.make_node("SpaceToDepth", ["image"], ["blocks"], blocksize=multiple),
            helper.make_node("DepthToSpace", ["blocks"], ["same"], blocksize=multiple),
            helper.make_node("Neg", ["same"], ["edited"]),
        ]
    fields: dict[str, Any] = {
        "name": "tiny-negative",
        "family": "tiny",
        "task": "translate",
        "inputs": (image,),
        "outputs": (msgspec.structs.replace(image, name="edited"),),
        "size": size,
        "opset": OPSET,
    }
    return _save(folder / "model.onnx", nodes, {}, fields, card)


def write_sampler(folder: Path, *, hw: tuple[int, int] = (16, 24), width: int = 8, mixer: bool = True) -> Path:
    """Writes a generator `model.onnx` and, if asked, its `mixer.onnx`; returns the generator's path.

    A picture is `clip(shapes(latent) + colour(style), -1, 1)`, where the generator's style is the latent itself.
    `sampler_picture` works the same out in numpy.
    """
    image = msgspec.structs.replace(_image(hw[0], hw[1]), name="image")
    vector = TensorSpec(name="latent", dtype="float32", shape=(1, width), layout="NC")
    shapes, colours = _sampler_weights(hw, width)
    constants = {
        "shapes": shapes,
        "colours": colours,
        "as_plane": np.array([1, 1, *hw], np.int64),
        "as_pixel": np.array([1, 3, 1, 1], np.int64),
        "low": np.array(-1, np.float32),
        "high": np.array(1, np.float32),
    }
    for name, style in (("model", "latent"), *((("mixer", "style"),) if mixer else ())):
        nodes = [
            helper.make_node("MatMul", ["latent", "shapes"], ["flat"]),
            helper.make_node("Reshape", ["flat", "as_plane"], ["plane"]),
            helper.make_node("MatMul", [style, "colours"], ["three"]),
            helper.make_node("Reshape", ["three", "as_pixel"], ["colour"]),
            helper.make_node("Add", ["plane", "colour"], ["sum"]),
            helper.make_node("Clip", ["sum", "low", "high"], ["image"]),
        ]
        fields: dict[str, Any] = {
            "name": f"tiny-{name}",
            "family": "tiny",
            "task": "generate",
            "condition": Condition(kind="latent"),
            "noise": "zero",
            "companions": {"mixer": "mixer.onnx"} if mixer and name == "model" else {},
            "inputs": (vector,) if name == "model" else (vector, msgspec.structs.replace(vector, name="style")),
            "outputs": (image,),
            "size": SizeRule(hw=hw),
            "opset": OPSET,
        }
        _save(folder / f"{name}.onnx", nodes, constants, fields, {})
    return folder / "model.onnx"


def sampler_picture(latent: Any, style: Any, hw: tuple[int, int] = (16, 24)) -> Any:
    """The picture (H, W, 3) uint8 BGR that `write_sampler`'s models draw."""
    shapes, colours = _sampler_weights(hw, len(latent))
    values = np.clip((latent @ shapes).reshape(*hw, 1) + style @ colours, -1, 1)
    return np.rint((values + 1) * 127.5).astype(np.uint8)[:, :, ::-1]


def _sampler_weights(hw: tuple[int, int], width: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0 : hw[0], 0 : hw[1]] / 8.0
    waves = [np.sin(rng.uniform(-3, 3) * x + rng.uniform(-3, 3) * y) for _ in range(width)]
    return np.stack(waves).reshape(width, -1).astype(np.float32) / 8, rng.normal(0, 0.2, (width, 3)).astype(np.float32)


def rewrite_card(path: Path, **fields: Any) -> ModelCard:
    """Changes fields of the card beside `path`, and nothing in the model."""
    beside = path.with_name(path.name + ".card.json")
    card = msgspec.structs.replace(ModelCard.from_json(beside.read_bytes()), **fields)
    card.write(path)
    return card


def allow_batches(path: Path, batch: tuple[int, int]) -> None:
    """Makes an editor of this module take so many pictures at once, from the fewest to the most."""
    network = onnx.load(path)
    for value in (*network.graph.input, *network.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for constant in network.graph.initializer:
        if constant.name == "as_pixel":
            constant.CopyFrom(numpy_helper.from_array(np.array([-1, 3, 1, 1], np.int64), "as_pixel"))
    onnx.save(network, path)
    before = rewrite_card(path, batch=batch, payload_sha256=payload_sha256(path))

    def any_batch(specs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        return tuple(msgspec.structs.replace(spec, shape=("batch", *spec.shape[1:])) for spec in specs)

    rewrite_card(path, inputs=any_batch(before.inputs), outputs=any_batch(before.outputs))


def _save(
    path: Path, nodes: list[Any], constants: dict[str, Any], fields: dict[str, Any], changes: dict[str, Any]
) -> Path:
    def value(spec: TensorSpec) -> Any:
        return helper.make_tensor_value_info(spec.name, TensorProto.FLOAT, list(spec.shape))

    graph = helper.make_graph(
        nodes,
        "tiny",
        [value(s) for s in fields["inputs"]],
        [value(s) for s in fields["outputs"]],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    card = ModelCard(**fields)
    helper.set_model_props(model, {METADATA_KEY: card.to_json().decode()})
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(seal_model(model.SerializeToString(deterministic=True)))
    msgspec.structs.replace(card, payload_sha256=payload_sha256(path), **changes).write(path)
    return path


def _image(height: int, width: int | None = None) -> TensorSpec:
    return TensorSpec(
        name="image",
        dtype="float32",
        shape=(1, 3, height, width or height),
        layout="NCHW",
        colour="RGB",
        value_range=(-1.0, 1.0),
    )


def _label(names: tuple[str, ...]) -> TensorSpec:
    return TensorSpec(name="label", dtype="float32", shape=(1, len(names)), layout="NC", value_range=(0.0, 1.0))


def _condition() -> Condition:
    return Condition(kind="binary", names=NAMES, groups=GROUPS, default=(1.0, 0.0, 0.0))
