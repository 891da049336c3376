"""An engine for this machine in the place of one for another: built from the ONNX file beside it, verified, cached."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
from edgegan import __version__
from edgegan.runtime.backends import backend_class
from edgegan.runtime.backends.device import gpu_number
from edgegan.runtime.backends.fit import engine_info
from edgegan.runtime.backends.nvidia import libraries
from edgegan.runtime.backends.processor import system
from edgegan.runtime.backends.rebuild import rebuild_engine
from edgegan.runtime.errors import BackendError, EdgeganError, InputError, MisfitError
from edgegan.runtime.files import cache_folder
from edgegan.runtime.model import artefact as artefacts
from edgegan.runtime.model import golden
from edgegan.runtime.model.artefact import Artefact, suffix
from edgegan.runtime.model.card import sidecar

from .artefact import engine_from_onnx
from .build import Progress, library
from .gpu import Gpu, choose_library, find_gpu
from .options import AUTO, EngineOptions
from .verify_apart import verify_apart, verify_here

_WITH_DLA = ("7.2", "8.7")  # compute capabilities of Xavier and Orin


def rebuild(artefact: Artefact, *, device: str = "cuda", on_progress: Progress | None = None) -> Artefact:
    """An engine like `artefact` for a GPU of this machine, from the per-user cache, or built into it.

    The ONNX file is the one in the engine's folder whose hash is the card's `parent_sha256`. What was built is run on
    the golden pairs of that folder; where there are none, its card says `not_run`. The given files stay as they are.

    Args:
        artefact: an engine and its card.
        device: the GPU that is to run it, such as "cuda:1".
        on_progress: told of every step of build and verification.

    Raises:
        InputError: that ONNX file is not there, or is damaged.
        BackendError: there is no GPU here, or the build failed.
        VerifyError: the ONNX file is not of the card's precision, or the new engine misses the card's tolerance;
            it is not kept.
        MissingExtraError: no TensorRT is installed.
    """
    parent = find_parent(artefact)
    gpu = find_gpu(gpu_number(device))
    if isinstance(gpu, str):
        raise BackendError(gpu, "an engine is built again on the GPU that runs it")
    trt = library(choose_library(gpu))
    options = options_for(artefact, trt.__name__, gpu)
    path = _place(artefact, trt.__name__, trt.__version__, gpu, options)
    with suppress(EdgeganError):
        return artefacts.load(path)
    made, _ = engine_from_onnx(parent, path, options=options, device=device, on_progress=on_progress)
    return _verify(made, artefact, device, on_progress)


def options_for(artefact: Artefact, library: str, gpu: Gpu) -> EngineOptions:
    """How an engine like `artefact` is built for `gpu` with the library of that name.

    TensorRT proper times kernels for minutes: what it measured for one engine serves the next one on this GPU.
    """
    rtx, info = library == "tensorrt_rtx", engine_info(artefact.card)
    return EngineOptions(
        workspace_mib=info.workspace_mib,
        optimization_level=None if rtx else info.optimization_level,
        dla_core=info.dla_core if gpu.compute_capability in _WITH_DLA and not rtx else None,
        timing_cache=None if rtx else AUTO,
        compute_capabilities=(gpu.compute_capability,) if rtx else (),
    )


def fitting(artefact: Artefact, *, device: str = "cuda", on_progress: Progress | None = None) -> Artefact:
    """`artefact` itself, or, if it is an engine for another machine or GPU, the one that `rebuild` makes of it.

    Raises BackendError that names both machines if it cannot be built again here.
    """
    if suffix(artefact.path) == ".engine":
        try:
            backend_class("tensorrt")(artefact, device=device).close()
        except MisfitError as misfit:
            return rebuild_engine(artefact, misfit, device, on_progress)
        except EdgeganError:
            pass  # no machine could run it, or this one has no GPU: whoever opens it is told so
    return artefact


def find_parent(artefact: Artefact) -> Artefact:
    """The ONNX artefact that an engine was built from, out of its folder; raises InputError if it is not there."""
    wanted = artefact.card.parent_sha256
    namesake = artefact.path.with_suffix(".onnx")
    for path in sorted(artefact.path.parent.glob("*.onnx"), key=lambda path: path != namesake):
        with suppress(InputError):  # what cannot be read is not it
            if wanted is not None and artefacts.payload_sha256(path) == wanted:
                return artefacts.load(path)
    other = f"{namesake} is another file than the engine was built from"
    raise InputError(
        other if namesake.is_file() else f"there is no {namesake}",
        f"the ONNX file with the SHA-256 {wanted[:16]}..." if wanted else "a card that names the ONNX file by its hash",
        "copy the whole export folder",
    )


def _place(artefact: Artefact, name: str, version: str, gpu: Gpu, options: EngineOptions) -> Path:
    """One folder in the cache for each ONNX file on each kind of machine."""
    facts = (artefact.card.parent_sha256, name, version, gpu.name, gpu.compute_capability, system(), __version__)
    key = hashlib.sha256(repr((facts, options)).encode()).hexdigest()[:24]
    return cache_folder() / "engines" / key / artefact.path.name


def _verify(made: Artefact, original: Artefact, device: str, on_progress: Progress | None) -> Artefact:
    """The new engine with its figures on the card; if it misses, it goes, and VerifyError is raised.

    No memory left now is no miss: the pairs run at its first load.
    """
    if golden.beside(original) is None:
        return made
    # Without a driver nothing can keep a context here; it is then a fake that answers.
    verify = verify_here if libraries.driver_cuda() is None else verify_apart
    try:
        figures = verify(
            made,
            original,
            f"tensorrt:{device}",
            "tensorrt",
            on_pair=lambda _, done, total: on_progress("golden pairs", done, total) if on_progress else None,
        )
    except BaseException:
        sidecar(made.path).unlink(missing_ok=True)
        made.path.unlink(missing_ok=True)
        raise
    made = Artefact(made.path, msgspec.structs.replace(made.card, verification=figures))
    made.card.write(made.path)
    return made
