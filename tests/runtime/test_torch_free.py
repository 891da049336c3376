"""The runtime must work where torch, and everything that only training or exporting needs, is not installed."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import edgegan.runtime
from edgegan.runtime import __all__ as public

ROOT = Path(edgegan.runtime.__file__).parent
FORBIDDEN = ("torch", "torchvision", "onnx", "tensorrt", "tensorrt_rtx", "nncf", "torchmetrics", "safetensors")

BLOCKED = f"""
import importlib, sys
forbidden = {FORBIDDEN!r}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ImportError(f"{{name}} was imported by the runtime")

sys.meta_path.insert(0, Blocker())
"""


def modules() -> list[str]:
    found = pkgutil.walk_packages([str(ROOT)], prefix="edgegan.runtime.")
    return ["edgegan.runtime", *sorted(m.name for m in found)]


def run(code: str, *, blocked: bool = True) -> str:
    script = (BLOCKED if blocked else "") + code
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT.parent, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_walked():
    files = {p.relative_to(ROOT).with_suffix("").as_posix() for p in ROOT.rglob("*.py")}
    names = {n.removeprefix("edgegan.runtime").lstrip(".").replace(".", "/") for n in modules()}
    assert {f.removesuffix("/__init__").removesuffix("__init__") for f in files} == names and len(names) > 15


def test_every_module_imports_without_torch():
    run(f"for name in {modules()!r}: importlib.import_module(name)\n")


def test_the_blocker_does_block():
    out = run("try:\n    import onnx\nexcept ImportError as error:\n    print(error)\n")
    assert "was imported by the runtime" in out


def test_nothing_below_the_runtime_is_imported_from_it():
    """Dependencies point one way: the runtime knows no training, family, export or command line."""
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module or "")
            wrong = [n for n in names if n.partition(".")[0] in {*FORBIDDEN[:3], "export", "runtime"}]
            wrong += [n for n in names if n.startswith("edgegan.") and not n.startswith("edgegan.runtime")]
            assert not wrong, f"{path}: {wrong}"


def test_importing_the_runtime_brings_only_numpy_and_msgspec():
    heavy = ["cv2", "onnxruntime", "openvino", "PIL", "av", "typer", "rich"]
    out = run(
        "import edgegan.runtime.edit.editor, edgegan.runtime.edit.pipeline\n"
        "import edgegan.runtime.backends.onnxruntime.backend\n"
        f"print([m for m in {heavy!r} if m in sys.modules])\n"
    )
    assert out.strip() == "[]"


def test_the_public_names_are_sorted_and_all_there():
    assert list(public) == sorted(public, key=lambda n: (n.upper() != n, n[0].islower(), n))
    for name in public:
        assert getattr(edgegan.runtime, name) is not None
    assert set(public) == set(edgegan.runtime._MODULES)
    run(f"import edgegan.runtime as r\nfor name in {list(public)!r}: getattr(r, name)\n")
