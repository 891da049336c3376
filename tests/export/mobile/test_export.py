"""The forms of small runtimes as a part of an export, for every family."""

import pytest
from support.models.mobile import SAVE, SUFFIXES
from support.training.untrained import make_run

from edgegan import families
from edgegan.export import Request, export_run
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model.artefact import load

# What a converter makes of these cannot be loaded, or computes something else; the export finds it out.
WRONG = {"mnn": (), "ncnn": ("began", "progan"), "litert": ()}


@pytest.mark.parametrize(("form", "family"), [(form, family) for form in SAVE for family in WRONG[form]])
def test_what_is_computed_wrongly_is_not_written(form, family, tmp_path):
    (tmp_path / "run").mkdir()
    run = make_run(tmp_path / "run", family)
    with pytest.raises(VerifyError, match=f"does not reproduce the model on {form}"):
        export_run(Request(run.folder, tmp_path / "out", pictures=3, formats=(form,)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", families.names())
def test_every_family_exports_them_verified_with_its_helpers(family, tmp_path):
    formats = [name for name in SAVE if family not in WRONG[name]]
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    run = make_run(run_folder, family)
    done = export_run(Request(run.folder, tmp_path / "out", pictures=3, formats=tuple(formats)))
    rows = {(row.path, row.backend): row.verification for row in done.rows}
    plain = sorted(done.folder.rglob("*.onnx"))
    assert plain
    for path in plain:
        for name in formats:
            form = load(path.with_name(path.name.replace(".onnx", SUFFIXES[name])))
            assert rows[form.path, name].status == "passed" and rows[form.path, name].pictures >= 3
            assert form.card.verification[name] == rows[form.path, name]
            assert form.card.parent_sha256 == load(path).card.payload_sha256


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"open_size": True}, "--size dynamic"),
        ({"open_batch": True}, "--batch dynamic"),
        ({"as_bytes": True}, "--io uint8"),
        ({"batch": 2, "formats": ("ncnn",)}, "--batch 2"),
        ({"precisions": ("fp16",), "formats": ("mnn",)}, "nothing can be"),
    ],
)
def test_what_they_cannot_have_is_refused_before_any_work(tmp_path, asked, words):
    if not {"mnn", "ncnn"} <= SAVE.keys():
        pytest.skip("MNN or ncnn is not installed")
    run = make_run(tmp_path)
    with pytest.raises(InputError, match=words):
        export_run(Request(run.folder, tmp_path / "out", **{"formats": ("mnn", "ncnn"), **asked}))
    assert not (tmp_path / "out").exists()
