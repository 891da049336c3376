"""`edgegan info`: a model card in words, and what this machine can do with the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgegan.runtime.backends.places import Place
    from edgegan.runtime.model.artefact import Artefact
    from edgegan.runtime.model.build_info import BuildInfo
    from edgegan.runtime.model.card import ModelCard, SizeRule, TensorSpec
    from edgegan.runtime.model.condition import Condition
    from edgegan.runtime.model.verification import Verification

EPILOG = """
**Examples**

`edgegan info` — the models that come with edgegan

`edgegan info avatars`

`edgegan info runs/stargan/export/model.fp16.onnx --json`
"""

_WORKS_ON = {"translate": "whole pictures", "generate": "latents: it draws pictures", "classify": "pictures"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=EPILOG)(info)


def info(
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A model file, an export folder, a run folder or a model that comes with edgegan, by name. "
            "Default: a list of those."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card and the rest as JSON.")] = False,
) -> None:
    """Show what a model does, how well it was verified, where it runs on this machine, and what to type next.

    The model is loaded on every backend that knows its format. JSON holds the path, the card, the places and the
    next command, empty where the model lacks a part. Without a model, it lists those that come with edgegan, and what
    each cannot do; JSON then holds the name, the path and the card of each.
    """
    import msgspec

    from edgegan.cli._shared.shipped import list_shipped, print_rows
    from edgegan.runtime.backends.places import places
    from edgegan.runtime.model import artefact
    from edgegan.runtime.redaction import legible

    if model is None:
        return list_shipped(as_json)
    found = artefact.load(model)
    here = places(found)
    lacks = _lacks(found)
    following = "" if lacks else _next(found, here, str(model))
    if as_json:
        whole = {"path": legible(found.path), "card": found.card, "places": here, "next": legible(following)}
        print(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
        return
    print_rows([*_rows(found), ("lacks", lacks), *_here(here), ("next", following)])


def _rows(found: Artefact) -> Iterator[tuple[str, str]]:
    from edgegan.runtime.model.artefact import parts
    from edgegan.runtime.model.golden import stem

    card = found.card
    size = sum(part.stat().st_size for part in parts(found.path))
    yield "file", f"{found.path} ({size / 1e6:.1f} MB)"
    yield "model", f"{card.name} ({card.family}, {card.task})" + (f", {card.direction}" if card.direction else "")
    yield "knows", card.domain
    yield "cannot", card.limits
    yield from _condition(card.condition)
    yield "works on", "faces, found and aligned by their eyes" if card.faces else _WORKS_ON[card.task]
    yield "size", _size(card.size)
    yield "pictures a call", _batch(card.batch)
    for spec in card.inputs:
        yield "input", _tensor(spec)
    for spec in card.outputs:
        yield "output", _tensor(spec)
    yield "precision", card.precision + (f", ONNX opset {card.opset}" if card.opset else "")
    yield from _shares(card)
    report = found.path.with_name(f"{stem(found.path)}.{card.precision}.md")
    if report.is_file():
        yield "why", f"{report.name} beside it tells what had to stay more precise, and what it cost"
    yield "with", ", ".join(f"{name} ({role})" for role, name in card.companions.items())
    for backend, result in card.verification.items():
        yield "fidelity", f"{backend}: {_verification(result)}"
    if not card.verification:
        runs = "the golden pairs beside it run at every load" if found.golden else "no golden pairs lie beside it"
        yield "fidelity", f"nothing vouches for it: the card has no figures; {runs}"
    yield "trained", _pairs(card.training)
    yield "built with", _pairs(_facts(card.built_with))
    yield "licence", card.licence
    yield "SHA-256", f"{card.payload_sha256} (checked)" if card.payload_sha256 else "sealed in the file (checked)"


def _shares(card: ModelCard) -> Iterator[tuple[str, str]]:
    """What a reduced precision leaves in float."""
    facts, engine = card.built_with, card.built_with.engine
    if card.precision == "fp16" and facts.half_weights is not None and facts.half_operators is not None:
        operators = "{} of {}".format(*facts.half_operators)
        yield "in half", f"{facts.half_weights:.2%} of the weights, {operators} operators"
    if engine is not None:
        yield "in half", f"{engine.half_layers} computing layers of the engine"
        if engine.dla_core is not None:
            yield "DLA", f"core {engine.dla_core}, fit for {engine.dla_layers} layers; the GPU runs the rest"
    if engine is not None and engine.int8_layers:
        yield "in int8", f"{engine.int8_layers} convolutions of the engine"
    for names, what in ((facts.fp32_nodes, "operators stay float32"), (facts.float_layers, "layers stay float")):
        if names:
            yield "kept", f"{len(names)} {what}: {', '.join(names[:6])}" + (" ..." if len(names) > 6 else "")


def _here(here: Sequence[Place]) -> Iterator[tuple[str, str]]:
    for place in here:
        chosen = {"chosen": "would be taken: ", "runs": "", "if asked for": "only "}.get(place.status)
        if chosen is not None:
            yield "runs here", f"{place}: {chosen}{place.why}"
    for place in here:
        if place.status in ("refused", "not here"):
            yield "not here", f"{place}: {place.why}"


def _lacks(found: Artefact) -> str:
    """What the model needs that does not lie beside it as its card says; empty where all does."""
    from edgegan.runtime.errors import EdgeganError

    for role in found.card.companions:
        try:
            found.companion(role)
        except EdgeganError as error:
            return str(error).replace("\n", "; ")
    return ""


def _next(found: Artefact, here: Sequence[Place], named: str) -> str:
    """The command that a person with this model and this machine wants next."""
    from edgegan.runtime.commands import command

    from ._shared.sources import usual_source

    card, where = found.card, [named]
    if all(place.status not in ("chosen", "runs", "if asked for") for place in here):
        mend = next((place.todo for place in here if place.todo), "")
        return mend or "edgegan doctor"
    if found.golden is not None and any(place.status == "chosen" and not place.verified for place in here):
        return command("verify", named, "--write")
    if card.batch[0] > 1 or card.task == "classify":
        return command("verify", found.path)
    if card.task == "generate":
        return command("sample", *where)
    off = (name for name, on in zip(card.condition.names, card.condition.default, strict=True) if on <= 0)
    setting = [word for name in islice(off, 1) for word in ("--set", f"{name}=1")]
    return command("live", *where, "--source", usual_source(card), *setting)


def _batch(batch: tuple[int, int]) -> str:
    if batch == (1, 1):
        return ""
    return str(batch[0]) if batch[0] == batch[1] else f"{batch[0]} to {batch[1]}"


def _condition(condition: Condition) -> Iterator[tuple[str, str]]:
    if not condition.names:
        return
    yield "attributes", ", ".join(condition.names)
    for group in condition.groups:
        yield "exactly one", ", ".join(group)
    for chosen in condition.sets:
        yield "label set", f"{', '.join(chosen)} (a pass of its own)"
    if condition.one_at_a_time:
        yield "several changes", "a pass for each"
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
    if result.ssim_worst is not None:
        words += f", SSIM {result.ssim_worst:.4f}"
    if result.pictures:
        words += f", {result.pictures} pictures"
    if result.latency_ms is not None:
        words += f", {result.latency_ms:.1f} ms where it was measured"
        words += f" ({result.architecture})" if result.architecture else ""
    if result.corners_db:
        words += f", at the ends of its range ({', '.join(result.corners_db)}) {min(result.corners_db.values()):.1f} dB"
    return words + (f" ({result.reason})" if result.reason else "")


def _facts(info: BuildInfo) -> dict[str, str]:
    """The versions, the machine and what limits an engine, for people."""
    found = {**info.versions, "on": info.system}
    if info.engine is not None:
        engine = info.engine
        found |= {
            engine.library: engine.version,
            "for compute capability": " ".join(engine.compute_capabilities),
            "hardware compatibility": engine.hardware_compatibility.replace("none", ""),
            "version compatible": "yes" if engine.version_compatible else "",
            "workspace MiB": str(engine.workspace_mib or ""),
            "gpu": engine.gpu,
            "driver": engine.driver,
            "cuda": engine.cuda,
        }
        found |= {
            f"profile of {name}": " ".join("x".join(map(str, shape)) for shape in each)
            for name, each in engine.profile.items()
        }
    return {name: word for name, word in found.items() if word}


def _pairs(facts: Mapping[str, str | int | float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())
