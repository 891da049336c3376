"""A session of ONNX Runtime on one of its GPU providers, wholly or not at all: what both providers share."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import BackendError, InputError
from ...model.artefact import Artefact
from ..device import no_memory, no_such_gpu, out_of_memory
from ..nvidia import libraries
from ..nvidia.extras import gpu_extra

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"
WORDS = {CUDA: "CUDA", TENSORRT: "TensorRT"}  # all others by their own names
_LIBRARIES = {CUDA: "libonnxruntime_providers_cuda.so", TENSORRT: "libonnxruntime_providers_tensorrt.so"}
_CPU = "CPUExecutionProvider"

# What computes shapes, which ONNX Runtime leaves on the CPU where axes are open. CUDA has kernels for all of these, so
# none of them is on the CPU because it has to be.
# fmt: off
_SHAPE_ARITHMETIC = frozenset((
    "Add", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Floor", "Gather", "Identity",
    "Mul", "Range", "ReduceProd", "Reshape", "Shape", "Size", "Slice", "Squeeze", "Sub", "Transpose", "Unsqueeze",
    "Where",
))
# fmt: on
_BROKEN_FILE = ("InvalidGraph", "InvalidProtobuf", "NoSuchFile")  # its exceptions for what is wrong with the model
# Its words for a file that is newer than it, each with the file's number and its own.
_NEWER = {
    "IR version": r"Unsupported model IR version: (\d+), max supported IR version: (\d+)",
    "opset": r"Opset (\d+) is under development .* is till opset (\d+)",
}
_ERROR, _WARNING = 4, 2  # its log levels: fatal errors alone, and what it starts with


def check_provider(ort: Any, provider: str) -> None:
    """Raises BackendError unless this ONNX Runtime has `provider`, and what that wants of NVIDIA is here."""
    words = WORDS[provider]
    if provider not in ort.get_available_providers():
        raise BackendError(
            f"this ONNX Runtime was built without {words}",
            todo=f"on an NVIDIA machine: pip uninstall onnxruntime; pip install 'edgegan[{gpu_extra()}]'",
        )
    wanted = libraries_of(ort, provider)
    absent = libraries.missing(wanted)
    if absent:
        raise BackendError(
            f"{words} of ONNX Runtime {ort.__version__} cannot be loaded; not here: {', '.join(absent)}",
            f"it wants {releases(wanted)}",
            _remedy(absent, words),
        )
    serves, wants = libraries.driver_cuda(), _major(wanted, "libcudart.so.")
    if serves is not None and wants and serves[0] < wants:
        raise BackendError(
            f"the NVIDIA driver serves CUDA {serves[0]}.{serves[1]}, and this ONNX Runtime is built for CUDA {wants}",
            "a driver serves its own CUDA and older ones",
            f"update the driver, or take packages for its CUDA: pip install 'edgegan[{gpu_extra()}]'",
        )


def check_gpu(number: int) -> None:
    """Raises BackendError unless the driver shows a GPU of that number."""
    count = libraries.gpu_count()
    if count == 0:
        raise BackendError("no NVIDIA GPU can be used here", todo="check nvidia-smi, or take --device cpu")
    if number >= count:
        raise no_such_gpu(number, count)


def libraries_of(ort: Any, provider: str) -> tuple[str, ...]:
    """The shared libraries of NVIDIA that `provider` needs, found after those that pip installed were loaded."""
    # It prints what it does not find; we say it ourselves.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        ort.preload_dlls()
    if provider == TENSORRT:
        with contextlib.suppress(ImportError, OSError):  # Windows says with the latter that DLLs are not there
            import tensorrt  # noqa: F401 - loads the libraries of its wheel, which no search path leads to
    try:
        linked = libraries.read_needed(Path(ort.__file__).parent / "capi" / _LIBRARIES[provider])
    except OSError:
        return ()  # another system's libraries have other names; the session itself will tell
    ours = [name for name in linked if name.startswith(("libcu", "libnv"))]
    # Newer versions load cuDNN only when a network wants it; without the driver nothing runs.
    return tuple(dict.fromkeys([libraries.DRIVER, *ours, libraries.CUDNN]))


def open_session(
    ort: Any,
    artefact: Artefact,
    provider: str,
    options: dict[str, str],
    *,
    open_axes: bool,
    memory_pattern: bool = True,
) -> Any:
    """A session all of whose computing nodes run on `provider`; DirectML cannot have a `memory_pattern`.

    Raises:
        InputError: the file is not a network.
        BackendError: the provider does not start, or has no kernel for a node, which is named where that is known.
    """
    settings = ort.SessionOptions()
    settings.log_severity_level = _ERROR
    if not memory_pattern:
        settings.enable_mem_pattern = False
    named = hasattr(ort.InferenceSession, "get_provider_graph_assignment_info")  # since 1.24
    # Before that, all that can be had is a refusal, which names no node and takes shape arithmetic for a fault.
    entry = "session.record_ep_graph_assignment_info" if named else "session.disable_cpu_ep_fallback"
    settings.add_session_config_entry(entry, "1")
    try:
        with _silence(ort):
            # Without this it catches its own error, prints it, and begins again on the CPU.
            session = ort.InferenceSession(
                str(artefact.path), settings, providers=[(provider, options)], enable_fallback=0
            )
    except Exception as error:  # its exception types share no base of their own
        raise _explain(error, artefact, provider, ort.__version__) from error
    if session.get_providers()[0] != provider:
        raise BackendError(
            f"ONNX Runtime took {session.get_providers()[0]} instead of {provider}",
            todo="edgegan doctor says which libraries it misses",
        )
    if named:
        _check_nodes(session, provider, ort.__version__, open_axes=open_axes)
    return session


def first_line(error: Exception) -> str:
    """What ONNX Runtime says, in one line, without its error code and the path."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.rpartition(" failed:")[2][:200]


def unreadable(error: Exception, path: Path, version: str) -> InputError:
    """The error for a file that ONNX Runtime cannot load; a format that is newer than it has words of its own."""
    newer = _too_new(str(error))
    if newer is None:
        return InputError(f"ONNX Runtime cannot load {path}: {first_line(error)}", todo="export the model again")
    what, there, most = newer
    return InputError(
        f"{path} is written in ONNX's {what} {there}",
        f"ONNX Runtime {version} reads {what}s up to {most}",
        f"pip install -U onnxruntime, or write the model again with {what} {most} or older",
    )


def _too_new(text: str) -> tuple[str, str, str] | None:
    """What of ONNX's format is newer than this ONNX Runtime, the file's number and the newest that it reads."""
    for what, pattern in _NEWER.items():
        found = re.search(pattern, text)
        if found:
            return what, found[1], found[2]
    return None


def _check_nodes(session: Any, provider: str, version: str, *, open_axes: bool) -> None:
    elsewhere = [
        node
        for part in session.get_provider_graph_assignment_info()
        if part.ep_name != provider
        for node in part.get_nodes()
        if not (open_axes and part.ep_name == _CPU and node.op_type in _SHAPE_ARITHMETIC)
    ]
    if elsewhere:
        names = ", ".join(f"{node.name or 'a node'} ({node.op_type})" for node in elsewhere[:3])
        more = f" and {len(elsewhere) - 3} more" if len(elsewhere) > 3 else ""
        raise BackendError(
            f"{WORDS.get(provider, provider)} of ONNX Runtime {version} cannot run {names}{more}",
            "a network runs wholly on the GPU or not at all",
            "take another backend, or --device cpu",
        )


def _explain(error: Exception, artefact: Artefact, provider: str, version: str) -> Exception:
    words, text = WORDS.get(provider, provider), str(error)
    if type(error).__name__ in _BROKEN_FILE or _too_new(text):
        return unreadable(error, artefact.path, version)
    if "explicitly disabled" in text:
        return BackendError(
            f"{words} of ONNX Runtime {version} cannot run a part of {artefact.path.name}, which would go to the CPU",
            "a network runs wholly on the GPU or not at all",
            "update onnxruntime-gpu to 1.24 or newer, which names the part, export with a fixed size, or --device cpu",
        )
    if out_of_memory(text):
        return no_memory(artefact.path.name)
    return BackendError(f"{words} of ONNX Runtime {version} cannot load {artefact.path}: {first_line(error)}")


@contextlib.contextmanager
def _silence(ort: Any) -> Iterator[None]:
    """Its environment's log goes to stderr, also where all is well; the level before cannot be asked for."""
    ort.set_default_logger_severity(_ERROR)
    try:
        yield
    finally:
        ort.set_default_logger_severity(_WARNING)


def _major(names: tuple[str, ...], stem: str) -> int:
    return next((int(name[len(stem) :].split(".")[0]) for name in names if name.startswith(stem)), 0)


def releases(names: tuple[str, ...]) -> str:
    """The releases behind the names of libraries: "CUDA 13, cuDNN 9, TensorRT 10"."""
    stems = {"CUDA": "libcudart.so.", "cuDNN": "libcudnn.so.", "TensorRT": "libnvinfer.so."}
    return ", ".join(f"{what} {_major(names, stem)}" for what, stem in stems.items() if _major(names, stem))


def _remedy(absent: tuple[str, ...], words: str) -> str:
    if libraries.DRIVER in absent:
        return "install the NVIDIA driver, or take --device cpu"
    if any(name.startswith(("libnvinfer", "libnvonnxparser")) for name in absent):
        major = _major(absent, "libnvinfer.so.") or _major(absent, "libnvonnxparser.so.")
        return f"pip install 'tensorrt=={major}.*', or build an engine: edgegan export RUN --trt"
    return f"pip install 'onnxruntime-gpu[cuda,cudnn]', or install what {words} wants from NVIDIA"
