"""The page as a folder: what is in it, how large it is, and what is refused before anything is written."""

import gzip
import json
import shutil

import numpy as np
import pytest
from support.needed import needed
from support.tiny_models import write_editor
from support.web.site import npm_package

needed("tflite", "export")

from edgegan.export.web import export_site  # noqa: E402
from edgegan.export.web.onnxruntime import find_package  # noqa: E402
from edgegan.runtime import Editor  # noqa: E402
from edgegan.runtime.errors import InputError, VerifyError  # noqa: E402


def test_it_holds_what_a_browser_needs_and_no_more_than_20_mb(site):
    files = {p.relative_to(site.folder).as_posix(): p.stat().st_size for p in site.folder.rglob("*") if p.is_file()}
    assert sum(files.values()) == site.size_bytes < 20e6 and not site.warnings
    manifest = json.loads((site.folder / "site.json").read_text())
    assert manifest["sizes"] == {name: size for name, size in files.items() if name != "site.json"}
    assert {"index.html", "worker.js", "licences.txt", "model/model.onnx.card.json"} <= files.keys()
    assert manifest["samples"] and all(name in files for name in manifest["samples"])
    assert min(site.psnr_db.values()) > 80


def test_the_runtime_is_the_packages_own(site):
    dist = npm_package() / "dist"
    for file in (site.folder / "onnxruntime").iterdir():
        packed = file.suffix == ".gz"
        data = gzip.decompress(file.read_bytes()) if packed else file.read_bytes()
        assert data == (dist / (file.stem if packed else file.name)).read_bytes()


def test_its_model_is_an_artefact_that_the_runtime_takes(site):
    frame = np.full((96, 96, 3), 90, np.uint8)
    with Editor.open(site.folder / "model" / "model.onnx", backend="onnxruntime") as editor:
        assert editor.edit(frame, {"Smiling": 1.0}).shape == frame.shape


def test_it_takes_the_place_of_an_earlier_page_and_of_nothing_else(site, tmp_path):
    shutil.copytree(site.folder, tmp_path / "site")
    (tmp_path / "site" / "page.js").write_text("old")
    export_site("avatars", tmp_path / "site", onnxruntime_web=npm_package())
    assert (tmp_path / "site" / "page.js").read_text() != "old"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="other things than a page"):
        export_site("avatars", tmp_path / "mine", onnxruntime_web=npm_package())


def test_a_model_that_nothing_can_check_is_refused(tmp_path):
    model = write_editor(tmp_path / "model", classifier=False, pairs=0)
    with pytest.raises(InputError, match="no golden pairs"):
        export_site(model, tmp_path / "site", onnxruntime_web=npm_package())
    assert not (tmp_path / "site").exists()


def test_a_model_that_misses_its_pairs_is_refused(tmp_path):
    model = write_editor(tmp_path / "model", classifier=False)
    with np.load(tmp_path / "model" / "golden.npz") as pairs:
        arrays = dict(pairs)
    arrays["model.out.edited"] = arrays["model.out.edited"] + np.float32(0.1)
    np.savez(tmp_path / "model" / "golden.npz", **arrays)
    with pytest.raises(VerifyError, match="worst picture"):
        export_site(model, tmp_path / "site", onnxruntime_web=npm_package())
    assert not (tmp_path / "site").exists()


def test_without_the_npm_package_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="npm install onnxruntime-web"):
        find_package(tmp_path)
    (tmp_path / "package.json").write_text('{"name": "onnxruntime-web", "version": "1.9.0"}')
    with pytest.raises(InputError, match="version 1.9.0 and lacks"):
        find_package(tmp_path)
