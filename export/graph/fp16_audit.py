"""How much of a float16 ONNX file is float16, and the proof that what is not was meant so. Needs no ONNX library."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from edgegan.runtime.errors import VerifyError
from edgegan.runtime.model.onnxfile import FLOAT, FLOAT16, OnnxFile


@dataclass(frozen=True)
class Halves:
    """Weights and operators of a file, by type; casts are none. `stray` names those in float32 for no reason."""

    half_weights: int
    float_weights: int
    half_operators: int
    float_operators: int
    stray: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.weights:.2%} of the weights and {'{} of {}'.format(*self.operators)} operators in half"

    @property
    def weights(self) -> float:
        """The share of the weights that is float16, from 0 to 1."""
        return self.half_weights / max(self.half_weights + self.float_weights, 1)

    @property
    def operators(self) -> tuple[int, int]:
        """So many operators in float16, of so many."""
        return self.half_operators, self.half_operators + self.float_operators


def count(file: OnnxFile, kept: Collection[str]) -> Halves:
    """Counts the floating weights and operators of `file`; those of the nodes `kept` may be float32."""
    users: dict[str, list[str]] = {}
    operators = {FLOAT: 0, FLOAT16: 0}
    stray = []
    for node in file.nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node.name)
        kind = next((file.kinds[name] for name in node.outputs if name in file.kinds), 0)
        if kind in operators and node.kind != "Cast":
            operators[kind] += 1
            stray += [f"{node.name} ({node.kind})"] if kind == FLOAT and node.name not in kept else []
    weights = {FLOAT: 0, FLOAT16: 0}
    for each in file.constants:
        if each.kind in weights and each.name in users:
            weights[each.kind] += each.elements
            meant = set(users[each.name]) <= set(kept)
            stray += [f"{each.name} ({each.elements} weights)"] if each.kind == FLOAT and not meant else []
    return Halves(weights[FLOAT16], weights[FLOAT], operators[FLOAT16], operators[FLOAT], tuple(stray))


def prove(file: OnnxFile, kept: Collection[str], name: str) -> Halves:
    """The counts of a file that is float16 but for `kept`; raises VerifyError if anything else is float32."""
    found = count(file, kept)
    if found.stray or not found.half_operators:
        more = f" and {len(found.stray) - 3} more" if len(found.stray) > 3 else ""
        raise VerifyError(
            f"{name} is not float16: {found}",
            f"float32 without a reason on the card: {', '.join(found.stray[:3]) or 'all of it'}{more}",
            "export the model again",
        )
    return found
