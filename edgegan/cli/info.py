"""`edgegan info`: a model card in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgegan.runtime.artefact import Artefact
    from edgegan.runtime.card import Condition, SizeRule, TensorSpec, Verification

EPILOG = """
**Examples**

`edgegan info` — the model that ships

`edgegan info runs/stargan/export/model.fp16.onnx --json`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(info)


def info(
    model: Annotated[
        Path | None,
        typer.Argument(help="A model file, an export folder or a run folder. Default: the model that ships."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card itself, as JSON.")] = False,
) -> None:
    """Show what a model does, what it takes and gives, and how well it was verified."""
    from edgegan.runtime import artefact

    found = artefact.load(artefact.shipped() if model is None else model)
    if as_json:
        print(found.card.to_json().decode(), end="")
        return
    rows = [(name, text) for name, text in _rows(found) if text]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}")


def _rows(found: Artefact) -> Iterator[tuple[str, str]]:
    card = found.card
    yield "file", f"{found.path} ({found.path.stat().st_size / 1e6:.1f} MB)"
    yield "model", f"{card.name} ({card.family}, {card.task})" + (f", {card.direction}" if card.direction else "")
    yield "knows", card.domain
    yield from _condition(card.condition)
    yield "works on", "faces, found and aligned by their eyes" if card.faces else "whole pictures"
    yield "size", _size(card.size)
    for spec in card.inputs:
        yield "input", _tensor(spec)
    for spec in card.outputs:
        yield "output", _tensor(spec)
    yield "precision", card.precision + (f", ONNX opset {card.opset}" if card.opset else "")
    yield "with", ", ".join(f"{name} ({role})" for role, name in card.companions.items())
    for backend, result in card.verification.items():
        yield "verified", f"{backend}: {_verification(result)}"
    if not card.verification:
        yield "verified", "never"
    yield "trained", _pairs(card.training)
    yield "built with", _pairs(card.built_with)
    yield "licence", card.licence
    yield "SHA-256", f"{card.payload_sha256} (checked)" if card.payload_sha256 else "not on the card"


def _condition(condition: Condition) -> Iterator[tuple[str, str]]:
    if not condition.names:
        return
    yield "attributes", ", ".join(condition.names)
    for group in condition.groups:
        yield "exactly one", ", ".join(group)
    for chosen in condition.sets:
        yield "label set", f"{', '.join(chosen)} (a pass of its own)"
    on = [name for name, value in zip(condition.names, condition.default, strict=True) if value > 0]
    yield "by default", f"{', '.join(on) or 'none'} on"


def _size(rule: SizeRule) -> str:
    height, width = rule.hw
    usual = f"{height}x{width} (height x width)"
    if rule.kind == "fixed":
        return usual
    limits = [
        f"multiples of {rule.multiple}" if rule.multiple > 1 else "",
        f"from {rule.min_hw[0]}x{rule.min_hw[1]}" if rule.min_hw else "",
        f"up to {rule.max_hw[0]}x{rule.max_hw[1]}" if rule.max_hw else "",
    ]
    return f"{usual} is usual; {', '.join(limit for limit in limits if limit) or 'any'}"


def _tensor(spec: TensorSpec) -> str:
    shape = ", ".join(map(str, spec.shape))
    colour = f", {spec.colour}" if spec.colour else ""
    span = f", {spec.value_range[0]:g} to {spec.value_range[1]:g}" if spec.value_range else ""
    return f"{spec.name}: {spec.dtype} ({shape}) {spec.layout}{colour}{span}"


def _verification(result: Verification) -> str:
    words = result.status.replace("_", " ")
    if result.psnr_worst_db is not None and result.psnr_mean_db is not None:
        words += f", worst picture {result.psnr_worst_db:.1f} dB, mean {result.psnr_mean_db:.1f} dB"
    if result.max_abs is not None:
        words += f", max abs {result.max_abs:.1e}"
    if result.pictures:
        words += f", {result.pictures} pictures"
    if result.latency_ms is not None:
        words += f", {result.latency_ms:.1f} ms"
    return words + (f" ({result.reason})" if result.reason else "")


def _pairs(facts: dict[str, str] | dict[str, str | int | float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
