"""GPUs in words: how one is named, and the errors that every backend raises alike."""

from __future__ import annotations

from ..errors import BackendError, NoMemoryError


def gpu_number(device: str) -> int:
    """1 for "cuda:1", 0 for "cuda". Raises BackendError for anything else."""
    kind, _, number = device.partition(":")
    if kind != "cuda" or (":" in device and not number.isdecimal()):
        raise BackendError(f"'{device}' is not a device", "cuda, or cuda: and a number, such as cuda:1")
    return int(number or 0)


def no_such_gpu(number: int, count: int) -> BackendError:
    """For a machine with `count` GPUs, at least one, of which none has that number."""
    return BackendError(f"there is no GPU number {number} here", f"numbers 0 to {count - 1}")


def no_memory(what: str = "") -> NoMemoryError:
    """`what` is that for which the GPU had no memory left, where it is known."""
    return NoMemoryError(
        "the GPU has no memory left" + (f" for {what}" if what else ""),
        todo="close what else uses it (nvidia-smi lists it), take a smaller size or batch, or --device cpu",
    )


def out_of_memory(text: str) -> bool:
    """Whether a library of NVIDIA's or ONNX Runtime says that the GPU had no memory left."""
    said = text.lower()
    return any(words in said for words in ("out of memory", "outofmemory", "failed to allocate memory", "bad_alloc"))
