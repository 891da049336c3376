import msgspec
import pytest
from support import tiny_models

from edgegan.runtime.model.artefact import load, payload_sha256
from edgegan.runtime.model.forms import forms


@pytest.fixture
def folder(tmp_path):
    """A folder with `model.onnx` and, as other forms, copies of it."""
    tiny_models.write_editor(tmp_path)
    for name, precision in (("model.int8.onnx", "int8"), ("model.fp16.onnx", "fp16")):
        copy_model(tmp_path, name, precision=precision)
    return tmp_path


def copy_model(folder, name, **card):
    model = load(folder / "model.onnx")
    (folder / name).write_bytes(model.path.read_bytes())
    msgspec.structs.replace(model.card, **card).write(folder / name)
    return folder / name


def names(found):
    return [form.path.name for form in found]


def test_a_folder_stands_for_all_files_of_its_model_the_more_precise_first(folder):
    assert names(forms(load(folder))) == ["model.onnx", "model.fp16.onnx", "model.int8.onnx"]
    assert names(forms(load(folder.parent / folder.name))) == names(forms(load(folder)))


def test_a_file_stands_for_itself(folder):
    assert names(forms(load(folder / "model.onnx"))) == ["model.onnx"]


@pytest.mark.parametrize("change", [{"batch": (2, 2)}, {"training": {"images": 7}}, {"inputs": ()}])
def test_what_promises_something_else_is_no_form(folder, change):
    copy_model(folder, "model.fp16.onnx", **change)
    assert names(forms(load(folder))) == ["model.onnx", "model.int8.onnx"]


def test_what_no_hash_or_card_vouches_for_is_no_form(folder):
    (folder / "model.int8.onnx").write_bytes(b"changed")
    (folder / "model.fp16.onnx.card.json").unlink()
    assert names(forms(load(folder))) == ["model.onnx"]
    assert payload_sha256(folder / "model.onnx") == load(folder).card.payload_sha256
