"""Other people's converters, each in a process of its own: they print, and may end the process that they run in."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.files import atomic_path
from edgegan.runtime.model.artefact import Artefact, payload_sha256
from edgegan.runtime.model.card import ModelCard

from ..graph.trace import versions

_LIMIT_S = 1800
# What makes a format's files, by its name in pip.
PACKAGES = {"mnn": ("MNN",), "ncnn": ("pnnx",), "litert": ("litert-torch", "litert-converter")}

Give = Callable[[Path], Path]  # (an empty folder) -> the file in it that the converter is to read
Command = Callable[[Path, Path], Sequence[str]]  # (that file, the file to write) -> what to call


def give_onnx(model: Any) -> Give:
    """What hands an onnx.ModelProto to a converter."""

    def write(folder: Path) -> Path:
        path = folder / "given.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def convert(
    give: Give,
    card: ModelCard,
    path: Path,
    command: Command,
    *,
    tool: str,
    refused: str,
    suffixes: Sequence[str] = (),
    form: str,
) -> Artefact:
    """Writes `path`, the files beside it, and the card with the hash of all of them.

    Args:
        give: writes the model, in float32 with fixed axes, as the converter reads it.
        card: of the model; the versions of the converter's PACKAGES are added to what it was built with.
        path: the file to write.
        command: the converter's call.
        tool: what the converter is called in errors.
        refused: a pattern that finds in its output the operators that it cannot carry, in group 1.
        suffixes: of further files with the same stem that belong to the artefact.
        form: the format, one of PACKAGES.

    Raises VerifyError, which names the operators, if the converter cannot carry the model or takes half an hour;
    InputError on a full disk.
    """
    with TemporaryDirectory(prefix="edgegan-") as scratch:
        made = Path(scratch) / path.name
        try:
            done = subprocess.run(
                list(command(give(Path(scratch)), made)),
                cwd=scratch,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _refusal(path.name, tool, (), f"it was not ready after {_LIMIT_S / 60:.3g} minutes") from None
        said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
        operators = dict.fromkeys(" ".join(re.findall(refused, said)).split())
        files = [made, *(made.with_suffix(suffix) for suffix in suffixes)]
        if operators or not all(file.is_file() for file in files):
            raise _refusal(path.name, tool, [name.removeprefix("ONNX::") for name in operators], said)
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            with atomic_path(path.with_name(file.name)) as temporary:
                temporary.write_bytes(file.read_bytes())
    facts = card.built_with
    card = msgspec.structs.replace(
        card.lasting,
        payload_sha256=payload_sha256(path),
        built_with=msgspec.structs.replace(facts, versions={**facts.versions, **versions(*PACKAGES[form])}),
    )
    card.write(path)
    return Artefact(path, card)


def check_floats(card: ModelCard, what: str) -> None:
    """Raises InputError unless every port has fixed axes and float32 values, which is what `what` is given."""
    for spec in (*card.inputs, *card.outputs):
        if spec.dtype != "float32" or not all(isinstance(axis, int) for axis in spec.shape):
            raise InputError(
                f"{card.name}: '{spec.name}' is {spec.dtype} ({', '.join(map(str, spec.shape))})",
                f"{what} takes float32 of a fixed size and batch",
                f"leave out --io uint8, --size dynamic and --batch dynamic, or {what} from --format",
            )


def _refusal(name: str, tool: str, operators: Sequence[str], said: str) -> VerifyError:
    if operators:
        seen = f"{name} cannot be made: {tool} cannot carry the operator {', '.join(operators)}"
    else:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        seen = f"{name} cannot be made: {tool} failed: {(lines or ['it said nothing'])[-1][:200]}"
    return VerifyError(seen, todo="leave this format out of --format")
