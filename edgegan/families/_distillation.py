"""What a family tells of itself so that a smaller generator of it can learn from a larger one: `edgegan distil`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor, nn

from edgegan.config import BaseConfig

from ._step import Step

C = TypeVar("C", bound=BaseConfig)
Inputs = tuple[Tensor, ...]  # of one generator


@dataclass(frozen=True)
class Distillation(Generic[C]):
    """A family's students. Those of its networks learn that it averages (`Family.EMA`)."""

    students: Callable[[C], tuple[C, ...]]
    """(teacher's cfg): the configurations that may be tried: other shapes for the same pictures, labels and latents."""

    inputs: Callable[[C, Step], Mapping[str, Inputs]]
    """(cfg, step): for each generator, what the teacher and the student are both given: pictures of the run's streams
    with labels drawn at random, or latents. Every draw comes from the step."""

    width: str
    """The setting that says how wide a generator's layers are, and nothing else of them."""

    find_landed: Callable[[C, Mapping[str, nn.Module], Inputs, Tensor], Tensor] | None = None
    """(cfg, networks, inputs, pictures): which of the edits asked for show on the pictures, (N,) of bool, in the eyes
    of the teacher's other networks; `inputs` are the golden ones that the family exports; optional."""
