"""ONNX Runtime for browsers: where its npm package lies, and the files of it that a page needs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from edgegan.runtime.errors import InputError

PACKAGE = "onnxruntime-web"
_BUILDS = ("wasm", "jspi")  # for processors, and for graphics cards by WebGPU where the browser has JSPI
_GLUE = {"wasm": "ort-wasm-simd-threaded", "jspi": "ort-wasm-simd-threaded.jspi"}
_TODO = f"run `npm install {PACKAGE}` here, or name a folder that holds it with --{PACKAGE} DIR"


def find_package(named: Path | None) -> Path:
    """Returns the folder of the npm package: the one named, or node_modules here or in a folder above.

    Nothing is downloaded. Raises InputError where it is not, or lacks a file that a page needs.
    """
    here = Path.cwd()
    if named is None:
        places = [folder / "node_modules" / PACKAGE for folder in (here, *here.parents)]
    else:
        places = [named, named / PACKAGE, named / "node_modules" / PACKAGE]
    found = next((place for place in places if (place / "package.json").is_file() and _is_it(place)), None)
    if found is None:
        where = f"in {named}" if named is not None else "in node_modules here or above"
        raise InputError(f"{PACKAGE}, which runs the model in a browser, is not {where}", todo=_TODO)
    missing = [name for name in _sources() if not (found / "dist" / name).is_file()]
    if missing:
        raise InputError(
            f"{found} is version {version_of(found)} and lacks dist/{missing[0]}",
            "a version that has it: 1.24 or later",
            f"run `npm install {PACKAGE}@latest`",
        )
    return found


def version_of(package: Path) -> str:
    """Returns the version that the package says it is."""
    return str(json.loads((package / "package.json").read_text("utf-8")).get("version", "of no number"))


def copy_runtime(package: Path, folder: Path) -> None:
    """Copies what a page needs into `folder`; the binaries are packed, to a quarter of their size.

    The page unpacks them: static hosts pack nothing as a rule, and the whole of a site has to stay small.
    """
    folder.mkdir(parents=True)
    for name in _sources():
        data = (package / "dist" / name).read_bytes()
        if name.endswith(".wasm"):
            (folder / f"{name}.gz").write_bytes(gzip.compress(data, compresslevel=9, mtime=0))
        else:
            (folder / name).write_bytes(data)


def _is_it(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "package.json").read_text("utf-8")).get("name") == PACKAGE)
    except (OSError, ValueError):
        return False


def _sources() -> list[str]:
    names = [f"ort.{build}.min.mjs" for build in _BUILDS]
    return names + [f"{_GLUE[build]}{ending}" for build in _BUILDS for ending in (".mjs", ".wasm")]
