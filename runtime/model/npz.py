"""Arrays from an .npz file that nobody vouches for: nothing is allocated that the file does not hold."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

MOST_BYTES = 1 << 30  # of all arrays of a file together, unpacked

_SUFFIX = ".npy"


def read_arrays(path: Path, prefix: str = "") -> dict[str, NDArray[Any]]:
    """The arrays whose names begin with `prefix`; numbers and text only, never pickled objects.

    Raises InputError if the file is no .npz, is damaged, or unpacks to more than MOST_BYTES.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size > MOST_BYTES:
                raise InputError(f"{path} unpacks to {size:.3g} bytes", f"at most {MOST_BYTES:.3g}")
            names = [name for name in archive.namelist() if name.startswith(prefix) and name.endswith(_SUFFIX)]
            return {name.removesuffix(_SUFFIX): _array(archive, name) for name in names}
    except InputError:
        raise
    except Exception as error:  # zip, its codecs and NumPy's headers share no base
        words = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{path} is not a readable file of arrays: {words}") from None


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        major, _ = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = header(file)
        promised = math.prod(shape) * dtype.itemsize
        data = file.read(MOST_BYTES)
    if dtype.hasobject or len(data) != promised or min(shape, default=0) < 0:
        raise ValueError(f"'{name}' promises {promised} bytes of {dtype}, and holds {len(data)}")
    return np.frombuffer(bytearray(data), dtype).reshape(shape, order="F" if by_columns else "C")
