"""Values from within an ONNX model, as ONNX Runtime computes them on the CPU. Needs no torch."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from edgegan.runtime.backends.onnxruntime.backend import cpu_session
from numpy.typing import NDArray

Array = NDArray[Any]


class Inside:
    """A model that gives the tensors called `tensors` instead of its outputs.

    Args:
        model: an onnx.ModelProto with inferred shapes; it stays as it is.
        tensors: names of inputs, outputs or typed values between; twice the same is once.
    """

    def __init__(self, model: Any, tensors: Iterable[str]) -> None:
        wanted = dict.fromkeys(tensors)
        self._given = [value.name for value in model.graph.input if value.name in wanted]
        self._names = [name for name in wanted if name not in self._given]
        probe = copy.deepcopy(model)
        types = {value.name: value for value in (*probe.graph.value_info, *probe.graph.output)}
        outputs = [copy.deepcopy(types[name]) for name in self._names]
        del probe.graph.output[:]
        probe.graph.output.extend(outputs)
        self._session = cpu_session(probe.SerializeToString()) if outputs else None

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The tensors, by name."""
        answers = self._session.run(self._names, dict(inputs)) if self._session is not None else []
        return {**{name: inputs[name] for name in self._given}, **dict(zip(self._names, answers, strict=True))}
