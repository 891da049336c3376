"""Files from anywhere, damaged, crafted or newer, and full disks: plain words, nothing half-written, nothing run."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from support import tiny_models
from support.training.untrained import make_run

from edgegan.export import verify_artefact
from edgegan.runtime.backends import choice
from edgegan.runtime.errors import CardError, EdgeganError, InputError
from edgegan.runtime.files import sha256
from edgegan.runtime.model import artefact, golden, npz, onnxfile
from edgegan.runtime.model.card import sidecar
from edgegan.train.folder.run import Run

FILES = ("model.onnx", "model.onnx.card.json", "golden.npz")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return tiny_models.write_editor(tmp_path_factory.mktemp("sound"), size=8, classifier=False)


@pytest.fixture
def model(sound, tmp_path) -> Path:
    return Path(shutil.copytree(sound.parent, tmp_path / "model")) / sound.name


@pytest.fixture
def no_runtime(monkeypatch):
    """Any attempt to open a model in a runtime fails the test."""

    def fail(name):
        raise AssertionError(f"{name} opened a file that should have been refused")

    monkeypatch.setattr(choice, "backend_class", fail)


@st.composite
def damage(draw) -> tuple[str, bool, list[tuple[str, float, int]]]:
    """A file, whether its sidecar is lost, and cuts and flips at places given as a share of its length."""
    kinds = st.tuples(st.sampled_from(["cut", "flip"]), st.floats(0, 1, exclude_max=True), st.integers(0, 255))
    return draw(st.sampled_from(FILES)), draw(st.booleans()), draw(st.lists(kinds, min_size=1, max_size=4))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage())
def test_a_damaged_file_is_refused_in_words_or_still_right(sound, tmp_path, what):
    name, lost, changes = what
    folder = tmp_path / "fuzzed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound.parent, folder)
    path = folder / name
    data = bytearray(path.read_bytes())
    for kind, share, value in changes:
        place = int(share * len(data))
        if kind == "cut":
            del data[place:]
        elif data:
            data[place] = value
    path.write_bytes(data)
    if lost and name != "model.onnx.card.json":
        sidecar(folder / "model.onnx").unlink()
    try:
        found = artefact.load(folder)
        figures = verify_artefact(found, backends=("onnxruntime",))
    except EdgeganError as error:
        assert 1 <= len(str(error).splitlines()) <= 3 and "Traceback" not in str(error)
        return
    assert (folder / "model.onnx").read_bytes() == sound.read_bytes(), "a changed model was opened"
    assert figures["onnxruntime"].status in ("passed", "failed")


def _with_weights_in(place: str, folder: Path, **entries: str) -> Path:
    """A model whose only constant is said to lie in `place`."""
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": place, **entries}.items():
        weights.external_data.add(key=key, value=value)
    value = helper.make_tensor_value_info("image", TensorProto.FLOAT, [4])
    edited = helper.make_tensor_value_info("edited", TensorProto.FLOAT, [4])
    graph = helper.make_graph(
        [helper.make_node("Add", ["image", "weights"], ["edited"])], "g", [value], [edited], [weights]
    )
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


@pytest.mark.parametrize(
    "place", ["/etc/passwd", "../secret.bin", "deep/../../secret.bin", "..\\secret.bin", "C:\\secret.bin", "link.bin"]
)
def test_weights_outside_the_folder_are_refused_before_any_runtime_opens_the_file(place, tmp_path, no_runtime):
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    path = _with_weights_in(place, tmp_path / "model")
    (path.parent / "deep").mkdir()
    (path.parent / "link.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(InputError, match="weights of 'weights' are said to lie in"):
        artefact.load(path)


def in_a_cache(folder: Path) -> Path:
    """A model in the layout of Hugging Face's cache: it and its weights are links into blobs/, by their hashes."""
    path = _with_weights_in("weights.bin", folder / "made")
    (path.parent / "weights.bin").write_bytes(bytes(16))
    revision = folder / "snapshots" / "abc"
    revision.mkdir(parents=True)
    (folder / "blobs").mkdir()
    for file in (path, path.with_name("weights.bin")):
        blob = file.rename(folder / "blobs" / sha256(file))
        (revision / file.name).symlink_to(Path("..", "..", "blobs", blob.name))
    return revision / "model.onnx"


def test_a_cache_may_keep_model_and_weights_under_their_hashes(tmp_path):
    path = in_a_cache(tmp_path)
    assert onnxfile.read(path).external == (path.parent.resolve() / "weights.bin",)
    before = artefact.payload_sha256(path)
    (tmp_path / "blobs" / sha256(path.with_name("weights.bin"))).write_bytes(b"1" + bytes(15))
    assert artefact.payload_sha256(path) != before


@pytest.mark.parametrize("which", ["weights elsewhere", "model no link", "through a folder"])
def test_a_link_that_leads_anywhere_else_is_refused(which, tmp_path, no_runtime):
    path = in_a_cache(tmp_path)
    weights = path.with_name("weights.bin")
    if which == "weights elsewhere":
        (tmp_path / "secret.bin").write_bytes(bytes(16))
        weights.unlink()
        weights.symlink_to(tmp_path / "secret.bin")
    elif which == "model no link":
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    else:
        (tmp_path / "blobs" / "deep").mkdir()
        (tmp_path / "blobs" / "deep" / "weights.bin").write_bytes(bytes(16))
        weights.unlink()
        weights.symlink_to(tmp_path / "blobs" / "deep" / "weights.bin")
    with pytest.raises(InputError, match="weights of 'weights' are said to lie in"):
        artefact.load(path)


def test_weights_beside_the_model_belong_to_its_hash(tmp_path):
    path = _with_weights_in("weights.bin", tmp_path / "model")
    with pytest.raises(InputError, match="not beside it"):
        onnxfile.read(path)
    (path.parent / "weights.bin").write_bytes(bytes(15))
    with pytest.raises(InputError, match="promises"):
        onnxfile.read(path)
    (path.parent / "weights.bin").write_bytes(bytes(16))
    assert onnxfile.read(path).external == ((path.parent / "weights.bin").resolve(),)
    before = artefact.payload_sha256(path)
    (path.parent / "weights.bin").write_bytes(b"1" + bytes(15))
    assert artefact.payload_sha256(path) != before


@pytest.mark.parametrize("where", ["constant", "attribute", "subgraph", "input"])
def test_a_header_that_promises_too_much_is_refused_before_any_runtime_opens_the_file(where, tmp_path, no_runtime):
    huge = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1 << 30, 1 << 30], raw_data=bytes(4))
    flag = helper.make_tensor("flag", TensorProto.BOOL, [], [True])
    constant = helper.make_node("Constant", [], ["w"], value=huge)
    inner = helper.make_graph([constant], "inner", [], [helper.make_tensor_value_info("w", 1, None)])
    nodes = {
        "constant": helper.make_node("Add", ["image", "w"], ["edited"]),
        "attribute": constant,
        "subgraph": helper.make_node("If", ["flag"], ["edited"], then_branch=inner, else_branch=inner),
        "input": helper.make_node("Neg", ["image"], ["edited"]),
    }
    shape = [1 << 30, 1 << 30] if where == "input" else [1]
    graph = helper.make_graph(
        [nodes[where]],
        "g",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("edited", TensorProto.FLOAT, shape)],
        [huge] if where == "constant" else [flag],
    )
    path = tmp_path / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match=r"promises 1152921504606846976 values|to hold 1\.15e\+18 values"):
        artefact.load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": {"kind": "fixed", "hw": [1_000_000_000, 1]}}, "1000000000x1"),
        ({"batch": [1, 0]}, "1 to 0"),
        ({"schema": 99}, "schema 99"),
    ],
)
def test_a_card_with_sizes_that_cannot_be_or_from_later_is_refused(model, change, words, no_runtime):
    beside = sidecar(model)
    card = json.loads(beside.read_bytes())
    if "size" in change:  # as one who wants memory would write it
        card["inputs"][0]["shape"] = [1, 3, 1_000_000_000, 1]
    beside.write_text(json.dumps({**card, **change}))
    with pytest.raises(CardError, match=words):
        artefact.load(model)


def _npz(path: Path, shape: tuple[int, ...], held: bytes, name: str = "model.in.image.npy") -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, header.getvalue() + held)


def test_golden_pairs_that_promise_too_much_are_refused_before_allocation(tmp_path, monkeypatch):
    path = tmp_path / "golden.npz"
    _npz(path, (1 << 33,), bytes(4))
    with pytest.raises(CardError, match="promises 34359738368 bytes"):
        golden.read(path, "model")
    monkeypatch.setattr(npz, "MOST_BYTES", 1 << 20)
    _npz(path, (1 << 19,), bytes(1 << 21))  # 2 MB of zeros in a file of 2 KB
    assert path.stat().st_size < 1 << 13
    with pytest.raises(CardError, match="unpacks to"):
        golden.read(path, "model")


def test_golden_pairs_never_hold_objects_and_fit_the_card(model):
    pairs = golden.read(model.with_name("golden.npz"), "model")
    assert pairs is not None
    wrong = {"image": pairs.inputs["image"][:, :, :4], "label": pairs.inputs["label"]}
    np.savez(model.with_name("golden.npz"), **golden.pack({"model": golden.Golden(wrong, pairs.outputs)}))
    with pytest.raises(CardError, match=r"\(4, 3, 4, 8\)"):
        golden.beside(artefact.load(model))
    objects: dict[str, Any] = {"model.in.image": np.array([{}], object), "model.out.edited": np.zeros(1)}
    np.savez(model.with_name("golden.npz"), **objects)
    with pytest.raises(CardError, match="no golden pairs"):
        golden.beside(artefact.load(model))


# Several commands in one process, each with its own limit on the size of files: importing torch takes seconds.
LIMITED = """
import json, resource, sys
from edgegan import cli
for most_bytes, words in json.loads(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))
    try:
        cli.main(words)
    except SystemExit as done:
        print("exit", done.code, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def one_run(tmp_path_factory) -> Run:
    """What is written is alike in all families."""
    return make_run(tmp_path_factory.mktemp("one") / "run")


def test_a_full_disk_leaves_nothing_and_is_said(one_run, tmp_path):
    out = str(tmp_path / "out")
    export = ["export", str(one_run.folder), "--out", out, "--pictures", "16"]
    commands = [
        (2_000, export),  # below the smallest model
        (46_000, export),  # above every model, below the golden pairs
        (4_000, ["publish", str(one_run.folder), "--out", out]),
    ]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, json.dumps(commands)], capture_output=True, text=True, timeout=250
    )
    said = done.stderr.split("exit 2")
    assert len(said) == len(commands) + 1 and not said[-1].strip(), done.stderr
    for words in said[:-1]:
        lines = words.strip().splitlines()
        assert len(lines) <= 3 and "cannot write" in lines[0] and "File too large" in lines[0], words
    assert list(tmp_path.iterdir()) == []


def test_an_openvino_model_on_a_full_disk_is_said(sound, tmp_path):
    program = """
import onnx, resource, sys
from edgegan.export.int8 import openvino as ir
from edgegan.runtime import EdgeganError, load
model = ir.to_ir(onnx.load(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    ir.save_ir(model, load(sys.argv[1]).card, __import__("pathlib").Path(sys.argv[2]))
except EdgeganError as error:
    print(error)
"""
    words = [sys.executable, "-c", program, str(sound), str(tmp_path / "model.xml")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert "cannot write" in done.stdout and "disk space" in done.stdout, done.stderr
    assert not sidecar(tmp_path / "model.xml").exists()


def test_ctrl_c_in_the_middle_of_a_build_leaves_nothing(one_run, tmp_path):
    command = [sys.executable, "-m", "edgegan", "export", str(one_run.folder), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        for line in child.stdout:
            if "fp16.onnx on" in line:
                os.killpg(child.pid, signal.SIGINT)  # as a terminal does, to all that it started
                break
        child.stdout.read()
        said = child.stderr.read()
        assert child.wait(60) == 130 and said.strip() == "stopped"
    assert list(tmp_path.iterdir()) == []


def test_onnx_itself_can_read_what_is_sealed(model):
    onnx.checker.check_model(onnx.load(model), full_check=True)
