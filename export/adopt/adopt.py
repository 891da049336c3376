"""A card for a model from elsewhere: any ONNX image-to-image file becomes an artefact like those trained here.

The file is probed, what it cannot tell is asked for, ONNX Runtime's own answers become its golden pairs, and every
other backend is measured against them. Needs no torch.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import msgspec
from edgegan.runtime.backends.contract import Port
from edgegan.runtime.errors import InputError
from edgegan.runtime.files import atomic_folder
from edgegan.runtime.model.artefact import load, payload_sha256
from edgegan.runtime.model.card import METADATA_KEY, ModelCard, SizeRule, TensorSpec
from edgegan.runtime.model.condition import Condition
from edgegan.runtime.model.onnxfile import seal_model, with_metadata
from edgegan.runtime.model.verification import Verification

from ..graph.variants import MAX_SCALE
from ..verify.check import OnPair, require, verify_artefact
from ..verify.range_limits import pairs_to_store
from ..verify.reference import golden_bytes
from ..verify.targets import list_for_export
from . import samples
from .inspect import Probe
from .output_range import check_output_range
from .request import Adoption, Span, questions

_BATCH = 4  # of a model that leaves it open


@dataclass(frozen=True)
class Adopted:
    """What was written, and how each backend compares with ONNX Runtime."""

    path: Path
    card: ModelCard
    notes: tuple[str, ...]


def adopt(asked: Adoption, on_pair: OnPair | None = None) -> Adopted:
    """Writes an ordinary artefact folder, on which info, verify, bench, live and `Editor` work.

    Raises:
        InputError: the model is no editor, something is not told, or what was told does not fit the model; nothing
            was written.
        VerifyError: the model gives no finite pictures; nothing was written.
        MissingExtraError: onnxruntime is not installed, or what draws faces.
    """
    with Probe(asked.model, asked.layout) as probe:
        missing = questions(probe, asked)
        if missing:
            raise InputError(
                f"{asked.model} does not tell {len(missing)} thing{'s' * (len(missing) > 1)} that only you can know",
                "; ".join(f"{q.option} {q.answers} ({q.why})" for q in missing),
                "add these options",
            )
        card, notes = _card(probe, asked)
        pairs = samples.run_samples(probe, card, asked.pictures)
        notes += check_output_range(card, pairs)
        corners = samples.corners(probe, card, pairs, asked.pictures)
        external = probe.file.external
    model = with_metadata(asked.model.read_bytes(), METADATA_KEY, card.lasting.to_json().decode())
    with atomic_folder(asked.out) as stage:
        path = stage / "model.onnx"
        path.write_bytes(seal_model(model))
        for part in external:
            beside = stage / part.relative_to(asked.model.parent.resolve())  # a link is copied as what it leads to
            beside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(part, beside)
        (stage / "golden.npz").write_bytes(golden_bytes({"model": pairs}, pairs_to_store(corners, card, "model")))
        card = msgspec.structs.replace(card, payload_sha256=payload_sha256(path))
        card.write(path)
        found = load(path)
        figures = verify_artefact(found, pairs, backends=list_for_export(), corners=corners, on_pair=on_pair)
        require(found, figures, pairs)
        card = msgspec.structs.replace(card, verification=figures)
        card.write(path)
    return Adopted(asked.out / "model.onnx", card, (*notes, *_failures(figures)))


def _card(probe: Probe, asked: Adoption) -> tuple[ModelCard, list[str]]:
    condition = _condition(asked, probe.label)
    size, batch, notes = _sizes(probe, asked, len(condition.names))
    colour: Literal["RGB", "BGR", "GRAY"] = "GRAY" if probe.channels == 1 else "BGR" if asked.colour == "bgr" else "RGB"
    given = asked.value_range or (0.0, 255.0)
    taken = asked.output_range or given

    count = "batch" if batch[1] > 1 else 1

    def tensor(port: Port, shape: tuple[int | str, ...], layout: str, **more: Any) -> TensorSpec:
        span = (0.0, 255.0) if port.dtype == "uint8" else more.pop("value_range", None)
        fields = {"name": port.name, "dtype": port.dtype, "shape": shape, "layout": layout}
        return msgspec.convert({**fields, **more, "value_range": span}, TensorSpec)

    def picture(port: Port, span: Span) -> TensorSpec:
        hw = ("height", "width") if size.kind != "fixed" else size.hw
        channels = probe.channels or 3
        shape = (count, channels, *hw) if probe.layout == "NCHW" else (count, *hw, channels)
        return tensor(port, shape, str(probe.layout), colour=colour, value_range=span)

    def other(port: Port) -> TensorSpec:
        axes = tuple(n if n is not None else f"{port.name}_{i}" for i, n in enumerate(port.shape))
        return tensor(port, axes, "NC" if len(axes) == 2 else str(probe.layout))

    inputs = [picture(probe.image, given)]
    if probe.label is not None:
        inputs.append(tensor(probe.label, (count, len(condition.names)), "NC", value_range=(0.0, 1.0)))
    precision, facts = probe.precision()
    versions = {"onnxruntime": _version("onnxruntime"), "numpy": _version("numpy")}
    card = ModelCard(
        name=asked.name or asked.model.stem,
        family="adopted",
        task="translate",
        domain=asked.domain,
        condition=condition,
        faces=asked.alignment is not None,
        alignment=asked.alignment,
        inputs=tuple(inputs),
        outputs=(picture(probe.outputs[0], taken), *map(other, probe.outputs[1:])),
        size=size,
        batch=batch,
        precision=precision,
        built_with=msgspec.structs.replace(facts, versions=versions),
        training={"adopted_from": asked.model.name},
        licence=asked.licence or "not told",
    )
    return card, notes


def _condition(asked: Adoption, label: Port | None) -> Condition:
    kind, _, words = (asked.condition or "none").partition(":")
    parts = [tuple(name.strip() for name in part.split("|")) for part in words.split(",") if part.strip()]
    names = tuple(name for part in parts for name in part)
    if label is None:
        if kind != "none" or asked.default:
            raise InputError(f"--condition {asked.condition}: {asked.model.name} takes no label", "--condition none")
        return Condition()
    if kind not in ("binary", "one_hot") or not all(names) or not names or len(set(names)) < len(names):
        raise InputError(
            f"--condition {asked.condition}: not what the input '{label.name}' {label} can be told by",
            "binary:A,B,... or one_hot:A,B,..., each name once; binary:A|B,C where A and B exclude each other",
        )
    if label.shape[1] not in (None, len(names)):
        raise InputError(
            f"--condition {asked.condition}: {len(names)} names",
            f"the input '{label.name}' has {label.shape[1]} values",
        )
    unknown = [name for name in asked.default if name not in names]
    groups = (names,) if kind == "one_hot" else tuple(part for part in parts if len(part) > 1)
    if unknown or any(len({*group} & {*asked.default}) > 1 for group in groups):
        raise InputError(f"--default {','.join(asked.default)}: not a label", f"of {', '.join(names)}")
    on = {*asked.default, *(group[0] for group in groups if not {*group} & {*asked.default})}
    return Condition(
        kind="one_hot" if kind == "one_hot" else "binary",
        names=names,
        groups=groups,
        default=tuple(float(name in on) for name in names),
    )


def _sizes(probe: Probe, asked: Adoption, label_width: int) -> tuple[SizeRule, tuple[int, int], list[str]]:
    """The size rule, the batch, and notes; all tried out."""
    there = probe.hw
    hw = (there[0] or (asked.size_hw or (0, 0))[0], there[1] or (asked.size_hw or (0, 0))[1])
    if asked.size_hw not in (None, hw):
        assert asked.size_hw is not None
        raise InputError(
            f"--size {asked.size_hw[0]}x{asked.size_hw[1]} was given",
            f"the file fixes {hw[0]}x{hw[1]} (height x width)",
        )
    why = probe.takes(hw, label_width)
    if why:
        raise InputError(
            f"{asked.model} does not take pictures of {hw[0]}x{hw[1]} (height x width): {why}",
            "pictures that go through and come out in their own size",
            "name another --size or --layout; a model that enlarges pictures is no editor",
        )
    ports = [probe.image, *([probe.label] if probe.label is not None else [])]
    open_batch = all(port.shape[0] is None for port in ports) and not probe.takes(hw, label_width, _BATCH)
    batch = (1, _BATCH if open_batch else 1)
    if there != (None, None):
        if asked.multiple is not None:
            raise InputError(f"--multiple {asked.multiple}: the file fixes the size", todo="leave --multiple out")
        return SizeRule(hw=hw), batch, []
    n = asked.multiple
    if n is not None and (hw[0] % n or hw[1] % n or probe.takes((hw[0] + n, hw[1] + n), label_width)):
        raise InputError(f"--multiple {n}: pictures of {hw[0] + n}x{hw[1] + n} do not go through, or {hw} is none")
    n = n or probe.multiple(hw, label_width)
    if n is None:
        return SizeRule(hw=hw), batch, [f"only pictures of {hw[0]}x{hw[1]} go through: the size is fixed"]
    low = (n * min(4, hw[0] // n), n * min(4, hw[1] // n))
    low = (low[0] if n > 1 else hw[0] // 2, low[1] if n > 1 else hw[1] // 2)
    if probe.takes(low, label_width):
        low = hw
    high = (MAX_SCALE * hw[0], MAX_SCALE * hw[1])
    rule = SizeRule(kind="multiple_of", hw=hw, multiple=n, min_hw=low, max_hw=high)
    return rule, batch, [f"sides may be multiples of {n}, as was tried out"]


def _failures(figures: dict[str, Verification]) -> list[str]:
    return [
        f"{name} does not agree with ONNX Runtime and will not be used: {each.reason}"
        for name, each in figures.items()
        if each.status == "failed"
    ]


def _version(package: str) -> str:
    """Of an installed package; a GPU build goes by another name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
