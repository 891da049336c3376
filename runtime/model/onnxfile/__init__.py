"""What an ONNX file says about itself, read without any ONNX library and before any runtime opens it.

The whole structure is walked, weights are skipped: that shows whether the file is whole, whether its tensors hold
what they promise, and whether it reads other files.
"""

from __future__ import annotations

from pathlib import Path

from .mapped import explain_damage, map_file
from .reader import IR_VERSION, MAX_ELEMENTS, Reader
from .seal import SEAL_KEY, content_sha256, seal_model, with_metadata
from .structure import FLOAT, FLOAT16, Node, OnnxFile, Tensor

__all__ = [
    "FLOAT", "FLOAT16", "MAX_ELEMENTS", "SEAL_KEY", "Node", "OnnxFile", "Tensor", "content_sha256", "parse", "read",
    "seal_model", "with_metadata",
]  # fmt: skip


def read(path: Path) -> OnnxFile:
    """Reads an ONNX file's structure.

    Raises InputError if the file is not ONNX or is cut short, if a tensor does not hold what it promises, if an
    input or output has more than MAX_ELEMENTS, or if weights lie in files outside the model's folder.
    """
    return parse(map_file(path), path)


def parse(data: memoryview, path: Path) -> OnnxFile:
    """As `read`, of bytes that are, or will be, the file `path`."""
    seen: set[int] = set()
    try:
        return Reader(path).model(data, seen)
    except ValueError:
        raise explain_damage(path, len(data), begun=IR_VERSION in seen) from None
