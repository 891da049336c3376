"""Devices by name, a backend on one of them, and the errors that every backend raises alike."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BackendError, NoMemoryError

# These run on GPUs alone; every other backend has the CPU as its usual device.
_GPU_ALONE = ("tensorrt", "onnxruntime-tensorrt")


@dataclass(frozen=True)
class Device:
    """A device, written "cpu", "cuda" or "cuda:1". `number` counts within its kind; None where none was given."""

    kind: str
    number: int | None = None

    @classmethod
    def parse(cls, text: str) -> Device:
        """The device called `text`; raises BackendError for what is no name, such as "cuda:" or "cuda:x"."""
        kind, colon, number = text.partition(":")
        if not kind or (colon and not (number.isascii() and number.isdecimal())):
            raise BackendError(f"'{text}' is not a device", "cuda, or cuda: and a number, such as cuda:1")
        return cls(kind, int(number) if colon else None)

    def __str__(self) -> str:
        return self.kind if self.number is None else f"{self.kind}:{self.number}"


@dataclass(frozen=True)
class Target:
    """A backend on a device, written "onnxruntime:cuda:1", or "onnxruntime" where the device is the usual one."""

    backend: str
    device: Device

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target called `text`; raises BackendError for a device that is none."""
        backend, colon, device = text.partition(":")
        return cls(backend, Device.parse(device) if colon else usual_device(backend))

    @property
    def entry(self) -> str:
        """Under which a card keeps its figures: these are of a kind of device, whatever its number."""
        kind = Device(self.device.kind)
        return self.backend if kind == usual_device(self.backend) else f"{self.backend}:{kind}"

    def __str__(self) -> str:
        return self.backend if self.device == usual_device(self.backend) else f"{self.backend}:{self.device}"


def usual_device(backend: str) -> Device:
    """The device on which a backend is verified unless another one is named."""
    return Device("cuda" if backend in _GPU_ALONE else "cpu")


def gpu_number(device: str) -> int:
    """1 for "cuda:1", 0 for "cuda". Raises BackendError for anything else."""
    found = Device.parse(device)
    if found.kind != "cuda":
        raise BackendError(f"'{device}' is not a device", "cuda, or cuda: and a number, such as cuda:1")
    return found.number or 0


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
