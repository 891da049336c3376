"""Opening: what importing costs, and that a model compiled once is not compiled again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime import Editor
from edgegan.runtime.backends.openvino.backend import OpenVino
from edgegan.runtime.backends.openvino.cache import VARIABLE, Compiled, choose_folder
from edgegan.runtime.model.artefact import load

ROOT = Path(__file__).parents[2]


def fresh(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def blobs(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sha256"]


@pytest.fixture
def model(tmp_path):
    return tiny_models.write_editor(tmp_path / "m", size=32, classifier=False)


def test_importing_the_editor_loads_nothing_but_numpy_and_msgspec():
    """What it costs lies in what it loads: everything else comes when it is first used."""
    code = """
import json, sys
before = set(sys.modules)
from edgegan.runtime import Editor
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(new - set(sys.stdlib_module_names))))
"""
    assert set(fresh(code)) - {"typing_extensions"} == {"edgegan", "msgspec", "numpy"}  # msgspec loads that one


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_second_open_gives_its_first_frame_within_two_seconds(backend, tmp_path):
    """Of the model that ships, with the import and a 720p frame, in processor time, which a busy machine counts less.

    Below 1 s where the processor has nothing else to do; up to 1.5 s on the same one while its host is shared. That
    nothing is compiled anew the blobs say.
    """
    code = f"""
import time, json
from edgegan.runtime import Editor
import numpy as np
with Editor.open(backend={backend!r}) as editor:
    editor.edit(np.full((720, 1280, 3), 90, np.uint8), {{}})
    editor.translate(np.full((*editor.card.size.hw, 3), 90, np.uint8), {{}})
print(json.dumps(time.process_time()))
"""
    fresh(code, **{VARIABLE: str(tmp_path)})
    before = {path: path.stat().st_mtime_ns for path in blobs(tmp_path)}
    assert min(fresh(code, **{VARIABLE: str(tmp_path)}) for _ in range(2)) < 2.0
    assert {path: path.stat().st_mtime_ns for path in blobs(tmp_path)} == before
    assert bool(before) == (backend == "openvino")


def test_a_compiled_model_is_used_again_and_a_spoilt_one_is_made_anew(model, tmp_path):
    cache = tmp_path / "cache"

    def edit():
        found = load(model)
        with OpenVino(found, device="cpu", cache_dir=cache) as backend:
            x = {"image": np.full((1, 3, 32, 32), 0.25, np.float32), "label": np.zeros((1, 3), np.float32)}
            assert np.allclose(backend.run(x)["edited"], 0.25)
        return {path: (path.stat().st_ino, path.read_bytes()) for path in blobs(cache)}

    first = edit()
    assert len(first) == 1 and edit() == first
    (blob,) = first
    for spoilt in (b"", first[blob][1][: len(first[blob][1]) // 2], b"x" * len(first[blob][1])):
        blob.chmod(0o600)
        blob.write_bytes(spoilt)
        again = edit()
        assert len(again) == 1 and again[blob][1] != spoilt and edit() == again
    blob.with_name(blob.name + ".sha256").unlink()  # as after a kill, before the hash was written
    assert edit().keys() == first.keys() and blob.with_name(blob.name + ".sha256").is_file()


def test_another_model_or_version_is_compiled_for_itself(model, tmp_path):
    other = tiny_models.write_editor(tmp_path / "other", size=16, classifier=False)
    folders = {Compiled(tmp_path, load(path), v).folder for path in (model, other) for v in ("1.0", "1.1")}
    assert len(folders) == 4


def test_where_compiled_models_are_kept(monkeypatch, tmp_path, model):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(VARIABLE)
    assert choose_folder(None) == tmp_path / "cache" / "edgegan" / "openvino"
    assert choose_folder(tmp_path) == tmp_path
    with Editor.open(model, backend="openvino"):
        assert blobs(tmp_path / "cache")
    monkeypatch.setenv(VARIABLE, "")
    assert choose_folder(None) is None
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "file"))
    with Editor.open(model, backend="openvino") as editor:
        assert editor.selection.backend == "openvino"


def test_what_no_hash_vouches_for_is_removed_before_openvino_looks(tmp_path, model):
    cache = Compiled(tmp_path / "cache", load(model), "1.0")
    blob = cache.folder / "1.blob"
    assert cache.ready()
    blob.write_bytes(b"compiled")
    cache.seal()
    assert cache.ready() and blob.read_bytes() == b"compiled"
    blob.write_bytes(b"compilee")
    assert cache.ready() and not blobs(cache.folder)
    blob.write_bytes(b"compiled")  # a process was killed before it wrote the hash
    assert cache.ready() and not blobs(cache.folder)
