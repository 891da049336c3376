"""The forms of small runtimes as a part of an export, for every family."""

from support.mobile import FORMATS

from edgegan.export import Request, export_run
from edgegan.runtime.model.artefact import load


def test_every_family_exports_them_verified_with_its_helpers(tiny_run, tmp_path):
    done = export_run(Request(tiny_run.folder, tmp_path / "out", pictures=3, formats=tuple(FORMATS)))
    passed = {
        (row.path.relative_to(done.folder), row.backend) for row in done.rows if row.verification.status == "passed"
    }
    for path in done.folder.rglob("*.onnx"):
        for name, (_, suffix) in FORMATS.items():
            form = load(path.with_name(path.name.replace(".onnx", suffix)))
            assert (form.path.relative_to(done.folder), name) in passed
            assert form.card.parent_sha256 == load(path).card.payload_sha256
            assert form.card.verification[name].psnr_worst_db is None or form.card.verification[name].psnr_worst_db > 80
