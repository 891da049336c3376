"""The forms of small runtimes as a part of an export, for every family."""

import pytest
from support.models.mobile import FORMATS
from support.training.untrained import make_run

from edgegan import families
from edgegan.export import Request, export_run
from edgegan.runtime.errors import InputError, VerifyError
from edgegan.runtime.model.artefact import load

# What ncnn's converter makes of these cannot be loaded, or computes something else; the export finds it out.
NOT_ON_NCNN = ("began", "progan")


@pytest.mark.parametrize("family", NOT_ON_NCNN)
def test_what_ncnn_computes_wrongly_is_not_written(family, tmp_path):
    if "ncnn" not in FORMATS:
        pytest.skip("ncnn is not installed")
    (tmp_path / "run").mkdir()
    run = make_run(tmp_path / "run", family)
    with pytest.raises(VerifyError, match="does not reproduce the model on ncnn"):
        export_run(Request(run.folder, tmp_path / "out", pictures=3, formats=("ncnn",)))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("family", families.names())
def test_every_family_exports_them_verified_with_its_helpers(family, tmp_path):
    formats = {name: how for name, how in FORMATS.items() if name != "ncnn" or family not in NOT_ON_NCNN}
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    run = make_run(run_folder, family)
    done = export_run(Request(run.folder, tmp_path / "out", pictures=3, formats=tuple(formats)))
    rows = {(row.path, row.backend): row.verification for row in done.rows}
    plain = sorted(done.folder.rglob("*.onnx"))
    assert plain
    for path in plain:
        for name, (_, suffix) in formats.items():
            form = load(path.with_name(path.name.replace(".onnx", suffix)))
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
    if not {"mnn", "ncnn"} <= FORMATS.keys():
        pytest.skip("MNN or ncnn is not installed")
    run = make_run(tmp_path)
    with pytest.raises(InputError, match=words):
        export_run(Request(run.folder, tmp_path / "out", **{"formats": ("mnn", "ncnn"), **asked}))
    assert not (tmp_path / "out").exists()
