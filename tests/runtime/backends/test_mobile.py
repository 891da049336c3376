"""The backends for phones and small machines, each on files that its own converter made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import tiny_models
from support.models.mobile import BACKENDS, MODULES, SUFFIXES, write_form

from edgegan.runtime import Editor
from edgegan.runtime.backends import backend_class, describe_library, open_backend
from edgegan.runtime.errors import BackendError, CardError, InputError
from edgegan.runtime.model.artefact import load, parts, payload_sha256

ROOT = Path(__file__).parents[3]
RNG = np.random.default_rng(3)
pytestmark = pytest.mark.parametrize("name", BACKENDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An export of the tiny editor with its classifier, in every form that is here."""
    path = tiny_models.write_editor(tmp_path_factory.mktemp("mobile"))
    for name in BACKENDS:
        write_form(load(path), name)
        write_form(load(path.with_name("classifier.onnx")), name)
    return path.parent


def form(folder, name, stem="model"):
    return load(folder / f"{stem}{SUFFIXES[name]}")


def inputs():
    image = RNG.uniform(-1, 1, (1, 3, 32, 32)).astype(np.float32)
    return {"image": image, "label": np.array([[1, 0, 1]], np.float32)}


def expect(given):
    return np.clip(given["image"] + (given["label"] @ tiny_models.COLOURS)[:, :, None, None], -1, 1)


def test_it_computes_what_the_model_says_and_owns_what_it_gives(folder, name):
    given = inputs()
    kept = {n: a.copy() for n, a in given.items()}
    with open_backend(form(folder, name), threads=1) as backend:
        assert (backend.name, backend.device) == (name, "cpu") and "verified" in backend.selection.why
        first = backend.run(given)["edited"]
        assert first.dtype == np.float32 and np.abs(first - expect(given)).max() < 1e-5
        before = first.copy()
        for _ in range(3):  # arrays that are gone after the call: none of their memory may be read later
            other = inputs()
            assert np.abs(backend.run({n: a.copy() for n, a in other.items()})["edited"] - expect(other)).max() < 1e-5
        assert np.array_equal(first, before) and all(np.array_equal(given[n], kept[n]) for n in given)
        strided = np.asfortranarray(given["image"])
        assert np.array_equal(backend.run({**given, "image": strided})["edited"], first)
        with pytest.raises(BackendError, match="31"):
            backend.run({**given, "image": np.zeros((1, 3, 32, 31), np.float32)})
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.run(given)


def test_it_is_verified_with_its_figures_on_its_card(folder, name):
    figures = form(folder, name).card.verification[name]
    assert figures.status == "passed" and figures.psnr_worst_db > 110


def test_a_folder_and_a_named_backend_open_its_form_and_that_of_the_helper(folder, name):
    with Editor.open(folder, backend=name) as editor:
        assert editor.selection.backend == name
        flat = np.full((32, 32, 3), 200, np.uint8)
        assert all(value > 0.9 for value in editor.estimate(flat).values())  # bright: the classifier finds all on


def test_another_device_is_refused_in_words(folder, name):
    with pytest.raises(BackendError, match="device 'cuda'|'cuda' is not a device"):
        open_backend(form(folder, name), name, "cuda")


def test_a_file_that_is_none_is_refused_in_words(tmp_path, name):
    path = tiny_models.write_editor(tmp_path, classifier=False)
    broken = tmp_path / f"broken{SUFFIXES[name]}"
    for part in parts(broken):
        part.write_bytes(b"rubbish" * 40)
    card = load(path).card
    tiny_models.msgspec.structs.replace(card, payload_sha256=payload_sha256(broken)).write(broken)
    with pytest.raises(InputError, match=r"cannot load .*broken") as caught:
        open_backend(load(broken), name)
    assert len(str(caught.value).splitlines()) <= 3


def test_a_changed_part_is_refused_before_any_library_sees_it(folder, tmp_path, name):
    found = form(folder, name)
    for part in (*parts(found.path), found.path.with_name(found.path.name + ".card.json")):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    last = parts(tmp_path / found.path.name)[-1]
    last.write_bytes(last.read_bytes() + b"x")
    with pytest.raises(CardError, match="SHA-256"):
        load(tmp_path / found.path.name)


def test_its_library_is_told_and_prints_nothing(folder, name):
    assert "devices:" in describe_library(name) and "cpu" in backend_class(name).devices
    code = f"""
import json, numpy as np
from edgegan.runtime.backends import open_backend
from edgegan.runtime.model.artefact import load
with open_backend(load({str(form(folder, name).path)!r}), threads=1) as backend:
    zeros = {{port.name: np.zeros(port.shape, np.float32) for port in backend.inputs}}
    print(json.dumps([backend.name, float(backend.run(zeros)["edited"].max())]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (json.loads(done.stdout), done.stderr) == ([name, 0.0], "")


def test_alone_in_its_environment_it_opens_a_folder_without_being_asked(folder, name):
    """Neither ONNX Runtime nor OpenVINO nor torch can be imported, as where its extra alone was installed."""
    absent = ["onnxruntime", "openvino", "torch", "onnx", *(m for other, m in MODULES.items() if other != name)]
    code = f"""
import sys
for absent in {absent!r}:
    sys.modules[absent] = None
import numpy as np
from edgegan.runtime import Editor
with Editor.open({str(folder)!r}) as editor:
    crop = editor.translate(np.full((32, 32, 3), 127, np.uint8), {{"Smiling": 1.0}})
    print(editor.selection.backend, *crop[0, 0])
"""
    environment = {**os.environ, "EDGEGAN_AUTO": "card"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    backend, *pixel = done.stdout.split()
    assert backend == name and int(pixel[0]) > 150
