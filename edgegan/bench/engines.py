"""The networks to be measured, each behind one call: numpy arrays in, numpy arrays out, transfers included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgegan.runtime.backends import open_backend
from edgegan.runtime.errors import BackendError, InputError
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model.card import ModelCard

from .messages import Job
from .subjects import CUDA_GRAPH, MAX_AUTOTUNE

if TYPE_CHECKING:  # loading torch is part of what is measured
    import torch

    from edgegan.families import ExportSpec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Opened:
    """A loaded network. `run` takes a batch of one and returns its outputs by name."""

    run: Callable[[Arrays], Arrays]
    card: ModelCard
    device: str
    notices: tuple[str, ...] = ()


def open_subject(job: Job) -> Opened:
    """Loads the network of a job. Raises EdgeganError where that cannot be done."""
    return _open_torch(job) if job.subject.engine in ("eager", "compile") else _open_backend(job)


def _open_backend(job: Job) -> Opened:
    subject = job.subject
    model = artefacts.load(Path(subject.path))
    backend = open_backend(
        model, backend=subject.engine, device=subject.device, threads=job.threads, rebuild=job.rebuild
    )
    dtypes = {spec.name: spec.dtype for spec in model.card.inputs}

    def run(inputs: Arrays) -> Arrays:
        return backend.run({name: a.astype(dtypes[name], copy=False) for name, a in inputs.items()})

    chosen = backend.selection
    tested = ("its golden pairs ran at load, which the cold start includes",) if "just now" in chosen.why else ()
    return Opened(run, model.card, backend.device, (*chosen.notices, *tested))


def _open_torch(job: Job) -> Opened:
    """The EMA generator as a user would run it: default memory format and precision, under inference_mode."""
    import torch

    subject = job.subject
    torch.set_num_threads(job.threads)
    place = torch.device(subject.device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise BackendError(f"this PyTorch ({torch.__version__}) cannot use the GPU")
    spec = open_spec(job)
    names = [s.name for s in spec.card.inputs], [s.name for s in spec.card.outputs]
    dtype = torch.float16 if subject.precision == "fp16" else torch.float32
    module: Any = spec.module.to(place, dtype)
    if subject.channels_last:
        module = module.to(memory_format=torch.channels_last)
    # PyTorch's own default rounds the products of float32 convolutions to TF32; "fp32" is without it.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = subject.precision == "tf32"
    if place.type == "cuda":
        torch.backends.cudnn.benchmark = True
    if subject.engine == "compile":
        module = torch.compile(module, mode=MAX_AUTOTUNE if subject.variant == MAX_AUTOTUNE else None)
    if subject.variant == CUDA_GRAPH:
        module = _Replayed(module)

    def feed(array: NDArray[Any]) -> torch.Tensor:
        tensor = torch.from_numpy(array).to(place, dtype)
        return tensor.to(memory_format=torch.channels_last) if subject.channels_last and tensor.ndim == 4 else tensor

    def run(inputs: Arrays) -> Arrays:
        with torch.inference_mode():
            found = module(*(feed(inputs[name]) for name in names[0]))
        found = (found,) if isinstance(found, torch.Tensor) else found
        return {name: t.float().cpu().numpy() for name, t in zip(names[1], found, strict=True)}

    return Opened(run, spec.card, subject.device)


class _Replayed:
    """A network on CUDA, replayed as one CUDA graph; for inputs of one shape."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._graph: Any = None

    def __call__(self, *given: Any) -> Any:
        """What the network gives; overwritten by the next call."""
        import torch

        if self._graph is None:
            self._given = [tensor.clone() for tensor in given]
            side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):  # the first calls allocate, which a recording must not
                for _ in range(3):
                    self._module(*self._given)
            torch.cuda.current_stream().wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._found = self._module(*self._given)
        for kept, tensor in zip(self._given, given, strict=True):
            kept.copy_(tensor)
        self._graph.replay()
        return self._found


def open_spec(job: Job) -> ExportSpec:
    """What the run's family exports under the job's folder and stem; without a folder, the first of that stem."""
    from edgegan.train.folder.run import open_trained

    run, nets, _ = open_trained(Path(job.subject.path))
    specs = run.family.exportable(run.cfg, nets, run.data)
    for spec in specs:
        if spec.name == job.stem and job.folder in ("", spec.folder):
            return spec
    named = ", ".join("/".join(filter(None, (s.folder, s.name))) for s in specs)
    raise InputError(f"{run.family_name} exports no '{job.stem}' under '{job.folder}'", f"it exports: {named}")


def first_input(arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The first set of inputs, as a batch of one, in memory of its own."""
    return {name: np.array(a[:1]) for name, a in arrays.items()}
