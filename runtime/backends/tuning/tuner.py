"""Which verified pair of file and backend is the fastest on this machine: measured once, and remembered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...errors import CardError, EdgeganError, InputError
from ...files import cache_folder, write_atomic
from ...model import golden
from ...model.artefact import Artefact, payload_sha256
from ...model.fidelity import cast
from .. import processor
from ..contract import Backend
from ..nvidia import libraries
from ..profiles import profile
from ..selection import Candidate
from .turns import time_in_turns

VARIABLE = "EDGEGAN_AUTO"  # "card": `auto` goes by the figures on the cards; else it measures
SECONDS = 0.3  # for each pair

_MOST_FILES = 64  # those used longest ago give way

Open = Callable[[Candidate], tuple[Backend, str]]  # the loaded pair, and what proves it
Tell = Callable[[str, int, int], None]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """One pair: the median milliseconds of one call, or why there are none. `proof` says how it was verified."""

    file: str
    backend: str
    device: str
    precision: str
    proof: str = ""
    ms: float | None = None
    why_not: str = ""


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on this machine, in the order of the candidates."""

    processor: str
    threads: int
    batch: int
    timings: tuple[Timing, ...]

    @property
    def fastest(self) -> Timing | None:
        """The pair that takes the least time; the first of equals, None where no pair ran."""
        ran = [each for each in self.timings if each.ms is not None]
        return min(ran, key=lambda each: each.ms or 0.0) if ran else None


class Tuner:
    """Measures `candidates`, and remembers it in the per-user cache.

    What is remembered counts for these files, devices and versions of libraries, this processor, so many threads and
    pictures a call. Where anything is other, it is measured again.

    Args:
        candidates: what may be taken, in the order to try without measuring.
        versions: of the library of each backend; empty for what is not installed.
        threads: CPU threads of the network; None for all.
        batch: pictures a call; None takes the fewest that the card allows.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        versions: Mapping[str, str],
        threads: int | None = None,
        batch: int | None = None,
    ) -> None:
        self._candidates = candidates
        self._threads = threads or processor.count_cores()
        self._batch = batch or candidates[0].artefact.card.batch[0]
        asks_gpu = any(candidate.target.device.kind == "cuda" for candidate in candidates)
        self._gpus = libraries.gpu_count() if asks_gpu else 0
        self._versions = versions

    @property
    def promising(self) -> int:
        """How many candidates are likely to run: with fewer than two there is nothing to choose."""
        return sum(
            candidate.status != "failed"
            and bool(self._versions[candidate.target.backend])
            and (candidate.target.device.kind != "cuda" or self._gpus > 0)
            for candidate in self._candidates
        )

    def recall(self) -> Tuning | None:
        """What is remembered; None if nothing is, or nothing that can be read."""
        try:
            path = self._file()
            found = msgspec.json.decode(path.read_bytes(), type=Tuning)
            os.utime(path)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if len(found.timings) == len(self._candidates) and found.fastest else None

    def measure(self, open_: Open, seconds: float = SECONDS, tell: Tell | None = None) -> Tuning:
        """Opens every candidate with `open_`, times those that open in turns, remembers the times and returns them."""
        timings: list[Timing] = []
        calls: dict[int, Callable[[], object]] = {}
        with ExitStack() as stack:
            for number, candidate in enumerate(self._candidates):
                if tell is not None:
                    tell("measuring what is fastest here", number, len(self._candidates))
                proof, why_not = "", ""
                try:
                    opened, proof = open_(candidate)
                    stack.callback(opened.close)
                    call = partial(opened.run, example(candidate.artefact, self._batch))
                    for _ in range(2):  # the first calls of a library load, compile, take memory and record graphs
                        call()
                    calls[number] = call
                except EdgeganError as error:
                    why_not = error.seen
                timings.append(
                    Timing(
                        file=candidate.artefact.path.name,
                        backend=candidate.target.backend,
                        device=str(candidate.target.device),
                        precision=candidate.artefact.card.precision,
                        proof=proof,
                        why_not=why_not,
                    )
                )
            found = time_in_turns(list(calls.values()), seconds) if calls else []
        for number, ms in zip(calls, found, strict=True):
            timings[number] = msgspec.structs.replace(timings[number], ms=round(ms, 4))
        tuning = Tuning(processor=processor.name(), threads=self._threads, batch=self._batch, timings=tuple(timings))
        if tuning.fastest:
            self._remember(tuning)
        return tuning

    def order(self, tuning: Tuning) -> list[Candidate]:
        """The candidates with what was measured, the fastest first, then those that did not run, in their order."""
        known = [
            msgspec.structs.replace(candidate, measured_ms=timing.ms, why_not=timing.why_not)
            for candidate, timing in zip(self._candidates, tuning.timings, strict=True)
        ]
        return sorted(known, key=lambda candidate: (candidate.measured_ms is None, candidate.measured_ms or 0.0))

    def _remember(self, tuning: Tuning) -> None:
        """A cache that cannot be written costs time, nothing else."""
        with suppress(OSError, InputError):
            path = self._file()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomic(path, msgspec.json.format(msgspec.json.encode(tuning), indent=2))
            others = sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
            for file in others[_MOST_FILES:]:
                file.unlink(missing_ok=True)

    def _file(self) -> Path:
        pairs = [
            (
                candidate.artefact.card.payload_sha256 or payload_sha256(candidate.artefact.path),
                candidate.target.backend,
                str(candidate.target.device),
                candidate.status,
                self._versions[candidate.target.backend],
            )
            for candidate in self._candidates
        ]
        machine = (processor.name(), processor.int8_arithmetic(), self._gpus, self._threads, self._batch)
        digest = hashlib.sha256(msgspec.json.encode((pairs, machine))).hexdigest()
        return cache_folder() / "tuning" / f"{digest[:32]}.json"


def is_wanted() -> bool:
    """Whether `auto` measures; raises InputError for a value of VARIABLE that means nothing."""
    said = os.environ.get(VARIABLE, "measure")
    if said not in ("measure", "card"):
        raise InputError(f"{VARIABLE}={said}: not known", "measure, or card (go by the figures on the model's card)")
    return said == "measure"


def example(artefact: Artefact, batch: int) -> dict[str, NDArray[Any]]:
    """Inputs for one call of `batch` pictures: golden ones where they lie beside the model, else of middle values.

    Raises CardError if the card does not bound an open axis.
    """
    card = artefact.card
    with suppress(CardError):
        pairs = golden.beside(artefact)
        if pairs is not None:
            chosen = np.arange(batch) % len(pairs)
            return cast({name: array[chosen] for name, array in pairs.inputs.items()}, card.inputs)
    shapes = {name: usual for name, (_, usual, _) in profile(card).items()}
    found = {}
    for spec in card.inputs:
        low, high = spec.value_range or (0.0, 0.0)
        shape = shapes.get(spec.name) or tuple(int(axis) for axis in spec.shape)
        found[spec.name] = np.full((batch, *shape[1:]), (low + high) / 2, spec.dtype)
    return found
