"""The object other programs embed to draw pictures: latents in, pictures out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backends import Backend, Pending, Progress, Rebuild, begin
from ..edit.loading import Loading, load_for
from ..edit.session import Session
from ..errors import CardError, InputError
from ..model.artefact import Artefact
from ..model.card import ModelCard, TensorSpec
from ..model.image import Image, image_spec, postprocess
from ..types import Float32Array
from . import conditions, latent

Images = NDArray[np.uint8]  # (N, H, W, 3), BGR

MIXER = "mixer"  # the companion's role; its inputs are LATENT and STYLE
LATENT, STYLE = "latent", "style"
_IN_FLIGHT = 2  # pictures: a GPU draws one while the one before is copied


class Sampler(Session):
    """Draws pictures with one generator, on one backend, one at a time: no picture depends on its neighbours.

    Thread-safety: every method may be called from any thread; calls take turns on one lock. Arrays given are never
    changed and arrays returned belong to the caller. Use it in the process that opened it.

    Args:
        card: of the generator: an input `latent` (1, width), a second one with a value for each of the card's names
            if it has any, and a picture as output.
        backend: the loaded generator; closed with the sampler.
        mixer: opens the style mixer when it is first needed; None where the model has none.
        notices: what the user should know.

    Raises:
        CardError: the generator takes something else.
    """

    _name = "Sampler"

    def __init__(
        self,
        card: ModelCard,
        backend: Backend,
        mixer: Callable[[], Backend] | None = None,
        *,
        notices: tuple[str, ...] = (),
    ) -> None:
        super().__init__(card, backend, notices)
        self._spec, self._condition = _vector_specs(card)
        self._output = image_spec(card.outputs, f"output of {card.name}").name
        self._open_mixer = mixer
        self._mixer: Backend | None = None
        self.width = int(self._spec.shape[1])

    @classmethod
    def open(
        cls,
        path: str | Path | Artefact,
        *,
        backend: str = "auto",
        device: str = "auto",
        allow_fallback: bool = False,
        threads: int | None = None,
        rebuild: Rebuild = "never",
        on_progress: Progress | None = None,
    ) -> Sampler:
        """Opens a model file, an export folder or a run folder; the arguments are those of `Editor.open`.

        Raises:
            InputError: no such file, not a model, or a model that draws no pictures from latents.
            CardError: the card is missing, or disagrees with the model.
            BackendError: the backend or device is not there, or failed verification.
        """
        model = load_for("generate", path)
        companion = model.companion(MIXER)
        loading = Loading(backend, device, allow_fallback, threads, rebuild, on_progress)
        opened = loading.network(model)
        try:
            mixer = None if companion is None else lambda: loading.helper(companion, opened)
            taken = opened.selection.artefact or model
            return cls(taken.card, opened, mixer, notices=opened.selection.notices)
        except BaseException:
            opened.close()
            raise

    @property
    def can_mix(self) -> bool:
        """Whether the model came with a style mixer."""
        return self._open_mixer is not None

    def latents(self, n: int, seed: int = 0, *, truncate: float | None = None) -> Float32Array:
        """(n, width) float32 of N(0, 1); number i of a seed is always the same. See `latent.draw`."""
        return latent.draw(n, self.width, seed, truncate=truncate)

    def conditions(
        self, n: int, seed: int = 0, *, first: int = 0, changes: Mapping[str, float] | None = None
    ) -> Float32Array:
        """(n, names) float32: what pictures `first`, ... of a seed are told, with `changes` on top of what is drawn.

        See `conditions.draw`. Raises InputError for a name that the model does not know.
        """
        return conditions.change(
            self.card.condition, conditions.draw(self.card.condition, n, seed, first=first), changes or {}
        )

    def sample(
        self, n: int, seed: int = 0, *, truncate: float | None = None, changes: Mapping[str, float] | None = None
    ) -> Images:
        """n pictures, (n, H, W, 3) uint8 BGR; picture i of a seed is always the same, whatever n is.

        `changes` sets names of the card's condition, as in {"Smiling": 1.0}; the others are drawn for each picture.
        """
        return self.generate(self.latents(n, seed, truncate=truncate), self.conditions(n, seed, changes=changes))

    def generate(self, latents: NDArray[Any], labels: NDArray[Any] | None = None) -> Images:
        """The pictures of given latents: (n, width), finite numbers -> (n, H, W, 3) uint8 BGR.

        `labels` are (n, names), a row for each picture; None: those of the first n pictures of seed 0.
        """
        given = {LATENT: self._check_vectors(latents, "latents", self.width)}
        if self._condition is not None:
            told = self.conditions(len(given[LATENT])) if labels is None else labels
            names = self._condition.name
            given[names] = self._check_vectors(told, names, len(self.card.condition.names))
            if len(told) != len(given[LATENT]):
                raise InputError(f"{len(given[LATENT])} latents and {len(told)} conditions", "as many of each")
        with self._turn():
            return self._pictures(self._backend, given)

    def mix(self, latents: NDArray[Any], styles: NDArray[Any]) -> Images:
        """Pictures that take layout and shapes from `latents` and colours and textures from `styles`.

        Both are (n, width), finite numbers; picture i is made of latent i and style i, as (n, H, W, 3) uint8 BGR.
        Raises InputError if the model came without a style mixer.
        """
        given = {
            LATENT: self._check_vectors(latents, "latents", self.width),
            STYLE: self._check_vectors(styles, "styles", self.width),
        }
        if len(given[LATENT]) != len(given[STYLE]):
            raise InputError(f"{len(given[LATENT])} latents and {len(given[STYLE])} styles", "as many of each")
        if self._open_mixer is None:
            raise InputError(
                f"{self.card.name} came without a style mixer",
                "a generator that was exported with one",
                "leave style mixing out, or export the model again",
            )
        with self._turn():
            if self._mixer is None:
                self._mixer = self._open_mixer()
            return self._pictures(self._mixer, given)

    def _pictures(self, backend: Backend, inputs: dict[str, Float32Array]) -> Images:
        cast = {name: array.astype(self._spec.dtype, copy=False) for name, array in inputs.items()}
        pictures: list[Image] = []
        begun: deque[Pending] = deque()
        for i in range(len(cast[LATENT])):
            begun.append(begin(backend, {name: array[i : i + 1] for name, array in cast.items()}))
            if len(begun) == _IN_FLIGHT:
                pictures.append(postprocess(self.card, begun.popleft().result()[self._output]))
        pictures += [postprocess(self.card, pending.result()[self._output]) for pending in begun]
        return np.stack(pictures) if pictures else np.empty((0, *self.card.size.hw, 3), np.uint8)

    def _check_vectors(self, vectors: NDArray[Any], what: str, width: int) -> Float32Array:
        given = np.asarray(vectors)
        shape = "x".join(map(str, given.shape)) or "a single number"
        if given.ndim != 2 or given.shape[1] != width or given.dtype.kind not in "fiu":
            raise InputError(f"the {what} are {given.dtype}, {shape}", f"numbers, n x {width}")
        if not np.isfinite(given).all():
            raise InputError(f"the {what} hold values that are not finite", f"numbers, n x {width}")
        return given.astype(np.float32, copy=False)

    def _free(self) -> None:
        if self._mixer is not None:
            self._mixer.close()
        self._backend.close()


def _vector_specs(card: ModelCard) -> tuple[TensorSpec, TensorSpec | None]:
    """The latent, and the vector of the condition where the card has names."""
    spec, *others = card.inputs
    names = card.condition.names
    fits = len(others) == bool(names) and all(other.shape[-1] == len(names) for other in others)
    if (
        not fits
        or spec.name != LATENT
        or not isinstance(spec.shape[-1], int)
        or any(s.layout != "NC" for s in card.inputs)
    ):
        raise CardError(
            f"{card.name} takes {', '.join(s.name for s in card.inputs)}",
            f"one vector '{LATENT}' of a known length"
            + (f", and one of {len(names)} numbers for its condition" if names else ""),
        )
    return spec, others[0] if others else None
