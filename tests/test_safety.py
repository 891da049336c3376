"""Files from anywhere, damaged, crafted or newer, and full disks: plain words, nothing half-written, nothing run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from support import tiny_models

from edgegan.export import verify_artefact
from edgegan.runtime.backends import choice
from edgegan.runtime.errors import CardError, EdgeganError, InputError
from edgegan.runtime.files import sha256
from edgegan.runtime.model import artefact, onnxfile
from edgegan.runtime.model.card import sidecar

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


def test_onnx_itself_can_read_what_is_sealed(model):
    onnx.checker.check_model(onnx.load(model), full_check=True)
