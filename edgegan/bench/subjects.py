"""What can be measured for a run or a model, and what cannot, with the reason."""

from __future__ import annotations

import importlib.util
import shutil
from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec

from edgegan.runtime.backends import BACKENDS, backend_class, takes
from edgegan.runtime.backends.device import Device
from edgegan.runtime.errors import BackendError, EdgeganError
from edgegan.runtime.model import artefact as artefacts

from .machine import without_paths
from .targets import Target

Engine = Literal["eager", "compile", "onnxruntime", "onnxruntime-tensorrt", "openvino", "tensorrt"]
TITLES: dict[str, str] = {
    "eager": "PyTorch eager",
    "compile": "torch.compile",
    "onnxruntime": "ONNX Runtime",
    "onnxruntime-tensorrt": "ONNX Runtime TensorRT",
    "openvino": "OpenVINO",
    "tensorrt": "TensorRT",
}
DEVICES = ("auto", "cpu", "cuda", "gpu", "npu")
_EXPECTED = ("model.onnx", "model.fp16.onnx")  # what every export leaves; other precisions are extra
CUDA_GRAPH, MAX_AUTOTUNE = "CUDA graph", "max-autotune"  # variants of PyTorch on a GPU
_NO_GPU = "no NVIDIA GPU is here"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the model: an engine at a precision on a device.

    `path` is a run, checkpoint or artefact. `variant` tells two subjects apart that are alike in all else.
    """

    engine: Engine
    precision: str
    device: str
    path: str
    channels_last: bool = False
    variant: str = ""

    @property
    def id(self) -> str:
        """A short name, unique within one benchmark."""
        parts = (self.engine, self.precision, self.device.replace(":", ""), self.variant.replace(" ", "-"))
        return "-".join(filter(None, parts))

    @property
    def title(self) -> str:
        """The name for people."""
        extra = " channels_last" if self.channels_last else ""
        extra += f" {self.variant}" if self.variant else ""
        return f"{TITLES[self.engine]} {self.precision}{extra}" + ("" if self.device == "cpu" else f" ({self.device})")

    @property
    def kind(self) -> str:
        """On which kind of device it competes: speed-ups never compare a GPU with a CPU, where both are measured."""
        return "cuda" if self.device.startswith("cuda") else "cpu"


class Absent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to run the model that was not measured, and why."""

    title: str
    reason: str


def check_choice(backends: tuple[str, ...], device: str) -> None:
    """Raises BackendError for an engine or device that edgegan does not know."""
    for name in backends:
        if name not in TITLES:
            raise BackendError(f"there is no backend '{name}'", f"there are: {', '.join(TITLES)}")
    if Device.parse(device).kind not in DEVICES:
        raise BackendError(f"there is no device '{device}'", f"there are: {', '.join(DEVICES)}")


def plan(target: Target, backends: tuple[str, ...], device: str, *, cuda: bool) -> tuple[list[Subject], list[Absent]]:
    """Every subject of `target` that may run here, the eager baseline first, and every one that cannot.

    Args:
        target: what `resolve` found.
        backends: names out of TITLES; none means all. Eager is kept wherever it can run: all else is held against it.
        device: "auto" for all that is here, or one device.
        cuda: whether an NVIDIA GPU is here.
    """
    wanted = {"eager", *backends} if backends else set(TITLES)
    offered = _offer_trained(target, device) + _tell_apart(_offer_deployed(target, device))
    subjects, absent = [], []
    for subject, reason in offered:
        if subject.engine not in wanted:
            continue
        if not reason and subject.kind == "cuda" and not cuda:
            reason = _NO_GPU
        if reason:
            absent.append(Absent(title=subject.title, reason=reason))
        else:
            subjects.append(subject)
    named = {s.engine for s, _ in offered}
    for name in backends:
        if name not in named:
            absent.append(Absent(title=TITLES[name], reason=_never(name, target, device)))
    return subjects, absent


def _never(engine: str, target: Target, device: str) -> str:
    """Why an engine that was asked for has nothing at all to run."""
    if engine in ("eager", "compile") and target.trained is None:
        return "PyTorch runs a run or a checkpoint, not an exported file"
    if engine in BACKENDS and not any(takes(engine, path) for path in target.artefacts):
        return f"it cannot load {', '.join(p.name for p in target.artefacts)}"
    return f"it does not run on the device '{device}'"


Offer = tuple[Subject, str]  # a subject, and why it cannot be measured ("" if it can)


def _offer_trained(target: Target, device: str) -> list[Offer]:
    """The trained networks in PyTorch itself, as a user would run them."""
    if target.trained is None:
        return []
    path, offers = str(target.trained), []
    for kind in ("cpu", "cuda"):
        if device == "auto" or Device.parse(device).kind == kind:
            place = kind if device == "auto" else device
            offers.append(Subject(engine="eager", precision="fp32", device=place, path=path))
            offers.append(Subject(engine="compile", precision="fp32", device=place, path=path))
            if kind == "cuda":
                offers.append(Subject(engine="eager", precision="tf32", device=place, path=path))
                half = Subject(engine="eager", precision="fp16", device=place, path=path, channels_last=True)
                fast = msgspec.structs.replace(half, engine="compile")
                offers += [half, msgspec.structs.replace(half, variant=CUDA_GRAPH)]
                offers += [fast, msgspec.structs.replace(fast, variant=MAX_AUTOTUNE)]
    missing = "" if can_import("torch") else "PyTorch is not installed: pip install 'edgegan[train]'"
    return [(s, missing or _no_compiler(s)) for s in offers]


def _no_compiler(subject: Subject) -> str:
    if subject.engine != "compile" or subject.kind != "cpu" or any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        return ""
    return "no C++ compiler is here, which torch.compile needs (Debian: apt install g++)"


def _offer_deployed(target: Target, device: str) -> list[Offer]:
    """The artefacts, each on every backend that takes it."""
    offers = []
    for path in target.artefacts:
        try:
            precision, reason = str(artefacts.load(path).card.precision), ""
        except EdgeganError as error:
            if target.single:
                raise
            precision, reason = "?", without_paths(error.seen)
        for engine in BACKENDS:
            if takes(engine, path):
                offers += [(_deployment(engine, precision, place, path), reason) for place in _places(engine, device)]
    here = {path.name for path in target.artefacts}
    for name in _EXPECTED if not target.single else ():
        if target.stem == "model" and name not in here:
            precision = "fp16" if "fp16" in name else "fp32"
            todo = f"there is no {name}: {target.export_command()}"
            offers += [
                (_deployment(engine, precision, place, Path(name)), todo)
                for engine in ("onnxruntime", "openvino")
                for place in _places(engine, "cpu" if device == "auto" else device)
            ]
    if not target.single and not any(p.suffix == ".engine" for p in target.artefacts) and _places("tensorrt", device):
        missing = Subject(engine="tensorrt", precision="fp16", device="cuda", path="")
        offers.append((missing, f"there is no engine: {target.export_command('--trt')}"))
    return offers


def _tell_apart(offers: list[Offer]) -> list[Offer]:
    """Where two files make the same subject (model.int8.onnx and model.int8.xml in OpenVINO), both bear their names."""
    times = Counter(subject.id for subject, _ in offers)
    return [
        (msgspec.structs.replace(s, variant=Path(s.path).name) if times[s.id] > 1 else s, reason)
        for s, reason in offers
    ]


def _deployment(engine: str, precision: str, place: str, path: Path) -> Subject:
    return msgspec.convert({"engine": engine, "precision": precision, "device": place, "path": str(path)}, Subject)


def _places(engine: str, device: str) -> list[str]:
    """Where a backend is measured. Accelerators are asked for by name; Intel's are offered where Linux shows one."""
    kinds = sorted(backend_class(engine).devices)  # the CPU first
    if device != "auto":
        return [device] if Device.parse(device).kind in kinds else []
    intel = {"gpu": any(Path("/dev").glob("dri/renderD*")), "npu": any(Path("/dev").glob("accel/accel*"))}
    return [kind for kind in kinds if intel.get(kind, kind in ("cpu", "cuda"))]


def can_import(module: str) -> bool:
    """Whether a package can be imported, found out without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
