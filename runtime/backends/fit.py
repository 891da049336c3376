"""Does an engine fit this machine? Its card and the machine are compared before TensorRT sees a byte of it."""

from __future__ import annotations

import importlib
import importlib.util
import re
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..errors import BackendError, CardError, EdgeganError, MisfitError, MissingExtraError
from ..model.build_info import EngineInfo
from ..model.card import ModelCard
from .nvidia.extras import gpu_extra, is_jetson, missing_package
from .processor import architecture

LIBRARIES = ("tensorrt", "tensorrt_rtx")  # what builds engines
_PACKAGES = {"tensorrt": ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"), "tensorrt_rtx": ("tensorrt-rtx",)}
_OLDEST, _TOO_NEW = (10, 3), (12, 0)  # of TensorRT proper; 10.2 builds wrong engines
REBUILD = "build it again on this machine: --rebuild auto, or edgegan export RUN --trt"


def engine_info(card: ModelCard) -> EngineInfo:
    """How an engine was built; raises CardError if its card does not say."""
    if card.built_with.engine is None:
        raise CardError("the card does not say which TensorRT built the engine", "built_with holds 'engine'", REBUILD)
    return card.built_with.engine


def library(card: ModelCard) -> Any:
    """The module that built an engine.

    Raises MissingExtraError, or MisfitError where only the other library is here.
    """
    name = engine_info(card).library
    try:
        return import_library(name)
    except ImportError:
        others = [other for other in LIBRARIES if other != name and importlib.util.find_spec(other)]
        if not others:
            raise missing_library(name) from None
        raise MisfitError(
            f"the engine was built with {name}; here is {others[0]}",
            "an engine runs only on the library that built it",
            f"{REBUILD}, or: pip install 'edgegan[{'rtx' if name == 'tensorrt_rtx' else gpu_extra()}]'",
        ) from None


def import_library(name: str) -> Any:
    """The module `name`, one of LIBRARIES. Raises ImportError without it, BackendError where its own files are not.

    On Windows the latter is a FileNotFoundError of the module, which looks for its DLLs by itself.
    """
    try:
        return importlib.import_module(name)
    except OSError as error:
        reason = str(error).strip().partition("\n")[0]
        package = name.replace("_", "-")
        raise BackendError(
            f"{name} is installed and cannot be loaded: {reason}",
            "its libraries beside it, or on the search path",
            f"install it again: pip install --force-reinstall {package}",
        ) from None


def library_version(name: str) -> str:
    """The version of an installed library, one of LIBRARIES, without loading its gigabytes where pip knows it."""
    return find_package_version(name) or str(import_library(name).__version__)


def find_package_version(name: str) -> str:
    """The version of one of LIBRARIES that pip installed; "" if the system's package manager brought it, or nobody."""
    for package in _PACKAGES[name]:
        with suppress(PackageNotFoundError):
            return version(package)
    return ""


def missing_library(name: str) -> EdgeganError:
    """The error where one of LIBRARIES is not installed.

    On a Jetson, whose GPU TensorRT for RTX does not know, an engine of the latter is a misfit.
    """
    if name == "tensorrt":
        return missing_package(name)
    if is_jetson():
        return MisfitError(
            "the engine is one of TensorRT for RTX, which does not run on a Jetson",
            "an engine of TensorRT proper, which comes with JetPack",
            REBUILD,
        )
    return MissingExtraError(name, "rtx")


def check_library(name: str, version: str) -> None:
    """Raises BackendError if `name`, one of LIBRARIES, is of a version that edgegan neither builds nor runs with."""
    if name == "tensorrt" and not _OLDEST <= _numbers(version)[:2] < _TOO_NEW:
        raise BackendError(
            f"TensorRT {version} is installed",
            "edgegan builds and runs engines with TensorRT 10.3 to 11",
            f"run: pip install 'edgegan[{gpu_extra()}]'",
        )


def check_version(card: ModelCard, installed: str) -> None:
    """Raises MisfitError if an engine was built by a TensorRT that `installed` cannot stand in for.

    Versions must be equal in all the parts that both name. An engine that is `version_compatible` runs on newer ones
    as well, up to the end of the next major version.
    """
    info = engine_info(card)
    name, said = info.library, info.version
    built, here = _numbers(said), _numbers(installed)
    parts = min(len(built), len(here))
    if built[:parts] == here[:parts]:
        return
    if info.version_compatible and built <= here and here[0] <= built[0] + 1:
        return
    raise MisfitError(
        f"the engine was built with {name} {said}; here is {name} {installed}",
        "an engine runs only on the version that built it",
        f"{REBUILD}, or: pip install '{name.replace('_', '-')}=={said}'",
    )


def check_gpu(card: ModelCard, capability: str, gpu: str, system: str) -> None:
    """Raises MisfitError if an engine was built for another kind of GPU, operating system or processor than this one.

    `system` is what `processor.system` gives, such as "Linux x86_64"; engines of TensorRT for RTX do not depend on it.
    The card may name several compute capabilities; a `hardware_compatibility` of "ampere_plus" widens them.
    """
    info = engine_info(card)
    targets = info.compute_capabilities
    ampere = info.hardware_compatibility == "ampere_plus" and _numbers(capability) >= (8, 0)
    if targets and capability not in targets and not ampere:
        origin = ", ".join(targets) + (f" ({info.gpu})" if info.gpu else "")
        raise MisfitError(
            f"the engine was built for compute capability {origin}; this GPU is {capability} ({gpu})",
            "an engine runs only on the kind of GPU it was built for",
            REBUILD,
        )
    built_on = card.built_with.system
    if info.library == "tensorrt" and not _same_system(built_on, system):
        raise MisfitError(f"the engine was built on {built_on}; this is {system}", todo=REBUILD)


def other_gpu(card: ModelCard, gpu: str) -> str:
    """What the user should know where an engine runs on another GPU than it was built on; empty if it does not.

    TensorRT picks kernels by timing them on the GPU at hand: on another one of the same compute capability they are
    right, and may not be the fastest. Engines of TensorRT for RTX are compiled anew on each.
    """
    info = engine_info(card)
    if info.library != "tensorrt" or info.gpu in ("", gpu):
        return ""
    return f"the engine was built on {info.gpu}; this is {gpu}: one built here may be faster"


def dla_part(card: ModelCard) -> str:
    """What the user should know of an engine that runs in part on a DLA; empty for one that does not."""
    info = engine_info(card)
    if info.dla_core is None:
        return ""
    return f"DLA core {info.dla_core} runs what it can of the network ({info.dla_layers} layers), the GPU the rest"


def _same_system(a: str, b: str) -> bool:
    """Whether two systems agree in what both name: the operating system, then the processor's architecture."""
    return all(architecture(x) == architecture(y) for x, y in zip(a.split(), b.split(), strict=False))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
