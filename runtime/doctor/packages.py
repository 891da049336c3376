"""The extras of the distribution, and the Python packages that are missing for each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from ..backends.nvidia import libraries
from ..backends.nvidia.extras import gpu_extra
from .finding import Finding

# Each takes the place of the extra `cpu` on its machines; two of them together mix libraries of two CUDAs.
_FOR_GPUS = {
    "gpu": "for NVIDIA GPUs whose driver serves CUDA 13, on Python 3.11 and newer; instead of 'cpu'",
    "gpu12": "for NVIDIA GPUs whose driver serves CUDA 12; instead of 'cpu'",
    "jetson": "for Jetsons, beside the TensorRT of their system",
}
_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")


def examine() -> Iterator[Finding]:
    """Each extra, with what is missing for it."""
    try:
        wanted = requires("edgegan") or []
    except PackageNotFoundError:
        yield Finding(topic="extra", name="edgegan", status="note", text="not installed: running from a checkout")
        return
    extras: dict[str, list[str]] = {}
    for requirement in wanted:
        found = _EXTRA.search(requirement)
        if found and "sys_platform" not in requirement.partition(";")[2].replace(f"'{sys.platform}'", ""):
            extras.setdefault(found[1], []).append(re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0])
    for extra, names in sorted(extras.items()):
        missing = [name for name in names if name != "edgegan" and not _is_served(name)]
        if not missing:
            yield Finding(topic="extra", name=extra, status="ok", text="complete")
        elif extra in _FOR_GPUS and (libraries.gpu_count() == 0 or extra != gpu_extra()):
            yield Finding(topic="extra", name=extra, status="note", text=_FOR_GPUS[extra])
        else:
            todo = f"pip install 'edgegan[{extra}]'"
            yield Finding(topic="extra", name=extra, status="missing", text=f"without {', '.join(missing)}", todo=todo)


def is_installed(name: str) -> bool:
    """Whether pip installed a package of that name."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def _is_served(name: str) -> bool:
    # They overwrite each other: either serves, and only one may be there.
    return is_installed(name) or (name == "onnxruntime" and is_installed("onnxruntime-gpu"))
