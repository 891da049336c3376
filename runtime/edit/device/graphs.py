"""The small graphs on a GPU, each held against the CPU's answer before it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backends.onnxruntime.backend import OnnxRuntime
from ...errors import BackendError
from ...model.artefact import Artefact, load
from ...model.card import TensorSpec
from ...shipped import FRAMES
from .steps import Look
from .trial import Trial, levels_apart

_MOST_LEVELS = 2.0  # that a GPU may be off by: it rounds sums and powers otherwise, at worst across a rounding edge


class Graphs:
    """What comes before and after a network, for its kinds of pictures, on `device`, such as "cuda:0".

    Raises BackendError where ONNX Runtime has no CUDA, or the GPU gives something else than the CPU; CardError where
    a file was changed; MissingExtraError without ONNX Runtime.
    """

    def __init__(self, device: str, image: TensorSpec, edited: TensorSpec, look: Look) -> None:
        files = {
            "reduce": "reduce",
            "cut": f"cut-{_form(image)}",
            "paste": f"paste-{'matched-' if look.colour_match else ''}{_form(edited)}",
        }
        trial = Trial(image, edited, look)
        self._open: dict[str, OnnxRuntime] = {}
        try:
            for step, file in files.items():
                artefact = load(FRAMES / f"{file}.onnx")
                self._open[step] = OnnxRuntime(artefact, device=device)
                self._check(artefact, step, trial)
        except BaseException:
            self.close()
            raise

    def run(self, step: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
        """Runs "reduce", "cut" or "paste" on arrays of the GPU, and small ones of the host, and waits for it."""
        self._open[step].run_on_device(inputs, outputs)

    def close(self) -> None:
        """Frees the sessions."""
        while self._open:
            self._open.popitem()[1].close()

    def _check(self, artefact: Artefact, step: str, trial: Trial) -> None:
        network = self._open[step]
        given = trial.inputs(step)
        with OnnxRuntime(artefact, device="cpu", threads=1) as reference:
            expected, found = reference.run(given), network.run(given)
        off = {name: levels_apart(expected[name], found[name], trial.image) for name in expected if name != "total"}
        for name, levels in off.items():
            if not levels <= _MOST_LEVELS:
                raise BackendError(
                    f"{artefact.path.name} gives '{name}' on {network.device} {levels:.3g} grey levels off",
                    f"what the CPU gives, within {_MOST_LEVELS:g}",
                    "take Editor, and report it with the output of edgegan doctor",
                )
        trial.note(expected)


def _form(spec: TensorSpec) -> str:
    return f"{spec.layout.lower()}-{spec.dtype}"
