"""What is scored: a run's or checkpoint's averaged networks, or an exported artefact, behind one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegan.data import normalise
from edgegan.eager import Eager, is_trained
from edgegan.families import ExportSpec, is_helper
from edgegan.runtime.backends import Backend, open_backend
from edgegan.runtime.errors import InputError
from edgegan.runtime.model.artefact import load
from edgegan.runtime.model.card import ModelCard
from edgegan.runtime.model.image import image_spec
from edgegan.sheet import Picture, to_picture
from edgegan.train.folder.run import open_trained

Arrays = NDArray[np.float32]
BATCH = 16


@dataclass(frozen=True)
class Subject:
    """A network, the card that says what it takes, and words for the report."""

    run: Callable[[Mapping[str, Arrays]], Arrays]  # N of each input, by name -> N of the first output
    card: ModelCard
    what: str
    data: str = ""  # the set it was trained on; empty where an artefact does not tell

    @property
    def direction(self) -> str:
        """AtoB or BtoA; a translator that names none goes from A to B."""
        return self.card.direction or "AtoB"

    @property
    def size(self) -> int:
        """The edge of the pictures it is scored on; raises InputError if they are not square."""
        height, width = self.card.size.hw
        if height != width:
            raise InputError(f"{self.card.name} takes pictures of {height}x{width}", "eval scores square pictures only")
        return height

    def edit(self, images: Arrays, labels: Arrays) -> Arrays:
        """Pictures (N, 3, S, S) in [-1, 1] and condition vectors (N, C) -> edited pictures."""
        return self.run({"image": images, "label": labels})

    def translate(self, pictures: Sequence[Picture]) -> list[Picture]:
        """N pictures -> N pictures."""
        made: list[Picture] = []
        for start in range(0, len(pictures), BATCH):
            made += self._pictures({"image": np.stack([normalise(p) for p in pictures[start : start + BATCH]])})
        return made

    def generate(self, latents: Arrays, told: Arrays | None = None) -> list[Picture]:
        """(N, nz), and for a conditional generator (N, names) -> N pictures."""
        rows = {"latent": latents}
        if told is not None and self.card.condition.names:
            rows[self.card.inputs[1].name] = told
        made: list[Picture] = []
        for start in range(0, len(latents), BATCH):
            made += self._pictures({name: array[start : start + BATCH] for name, array in rows.items()})
        return made

    def _pictures(self, inputs: Mapping[str, Arrays]) -> list[Picture]:
        spec = image_spec(self.card.outputs, f"output of {self.card.name}")
        return [to_picture(output, spec.value_range or (-1.0, 1.0)) for output in self.run(inputs)]


@contextmanager
def open_subjects(path: Path, backend: str = "auto") -> Iterator[tuple[Subject, ...]]:
    """Opens a run folder, a checkpoint (eager fp32, on the CPU) or an artefact (through a backend).

    A run gives one subject for each direction it can translate in; helper networks are left out. Raises InputError
    if `path` is none of these.
    """
    if is_trained(path):
        run, nets, found = open_trained(path)
        specs = run.family.exportable(run.cfg, nets, run.data)
        images = f"eager fp32, after {found.header['images']:,} images"
        yield tuple(
            Subject(_eager(spec), spec.card, f"{spec.card.name}, {images}", run.data)
            for spec in specs
            if not is_helper(spec, specs)
        )
        return
    artefact = load(path)
    with open_backend(artefact, backend=backend) as opened:
        data = str(artefact.card.training.get("data", ""))
        yield (
            Subject(_wrap_backend(opened, artefact.card), artefact.card, f"{artefact.path.name}, {opened.name}", data),
        )


@contextmanager
def open_subject(path: Path, backend: str = "auto") -> Iterator[Subject]:
    """The first of `open_subjects`."""
    with open_subjects(path, backend) as subjects:
        yield subjects[0]


def _eager(spec: ExportSpec) -> Callable[[Mapping[str, Arrays]], Arrays]:
    eager, first = Eager(spec), spec.card.outputs[0].name
    return lambda inputs: eager.run_many(inputs)[first]


def _wrap_backend(opened: Backend, card: ModelCard) -> Callable[[Mapping[str, Arrays]], Arrays]:
    """One at a time: exported networks take a batch of one."""

    def run(inputs: Mapping[str, Arrays]) -> Arrays:
        count = len(next(iter(inputs.values())))
        singles = ({t.name: inputs[t.name][i : i + 1].astype(t.dtype) for t in card.inputs} for i in range(count))
        return np.concatenate([opened.run(single)[card.outputs[0].name].astype(np.float32) for single in singles])

    return run
