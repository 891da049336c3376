"""`edgegan live` is steered by options, lines and what is remembered."""

import io
import json

import cv2
import numpy as np
from PIL import Image as Pillow
from support import tiny_models

from edgegan.runtime.live.sink import Sink

LIVE = ("--backend", "onnxruntime", "--source", "synthetic:160x120@30#2", "--every-frame")


def test_live_is_steered_by_lines_presets_and_options_without_a_keyboard(run, tmp_path, monkeypatch):
    tiny_models.write_editor(tmp_path / "faces")
    live = ("live", tmp_path / "faces", *LIVE, "--sink")
    lines = "view split\nfaces largest\nset Smiling 0.25\nnonsense\nkeep soft\nsnapshot\nrecord on\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    code, out, err = run(*live, "null", "--frames", 30, "--stdin", "--files", "made")
    assert code == 0 and "'nonsense' is not understood" in err and "faces: largest" in err
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made == ["recording-0001.mp4", "snapshot-0001.png"]
    assert all(f"made/{name}" in err for name in made)
    with Pillow.open(tmp_path / "made" / "snapshot-0001.png") as picture:
        picture.load()
        assert json.loads(picture.info["edgegan"])["settings"] == {"Smiling": 0.25}
    code, out, _ = run("live", tmp_path / "faces", "--list-presets")
    assert (code, out.strip()) == (0, "soft: Smiling 0.25")
    for number, options in enumerate((["--preset", "soft"], ["--set", "Smiling=0.25"], [])):
        assert run(*live, f"f{number}", "--frames", 1, "--no-label", *options)[0] == 0
    kept, told, bare = (cv2.imread(f"f{n}/frame_000000.png") for n in range(3))
    assert np.array_equal(kept, told) and not np.array_equal(kept, bare)  # and what was set last does not come back
    assert (
        run(*live, "null", "--preset", "hard")[2].splitlines()[0].endswith("there is no preset 'hard' of tiny-editor")
    )


def test_live_goes_as_far_as_its_range(run, tmp_path):
    tiny_models.write_editor(tmp_path / "faces")
    live = ("live", tmp_path / "faces", *LIVE, "--frames", 1, "--sink")
    assert run(*live, "a", "--set", "Smiling=1", "--no-label")[0] == 0
    assert run(*live, "b", "--set", "Smiling=1.5", "--range", "0,2", "--no-label")[0] == 0
    assert not np.array_equal(*(cv2.imread(f"{n}/frame_000000.png") for n in "ab"))
    code, _, err = run(*live, "c", "--set", "Smiling=1.5")
    assert code == 2 and "--range 0,2" in err and len(err.strip().splitlines()) <= 3
    for wrong in ("1", "0.5,1", "a,b", "0,inf"):
        assert run(*live, "c", "--range", wrong)[0] == 2
    assert run(*live, "c", "--view", "sideways")[0] == 2
    assert not (tmp_path / "c").exists()


class Terminal(Sink):
    """A screen without a display."""

    screen = True

    def write(self, frame, before=None):
        pass


def test_before_a_screen_the_settings_are_remembered_and_the_notice_comes_once(run, tmp_path, monkeypatch):
    tiny_models.write_editor(tmp_path / "faces")
    monkeypatch.setattr("edgegan.runtime.live.sinks.window.open_sink", lambda spec, clock: Terminal())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)
    live = ("live", tmp_path / "faces", "--backend", "onnxruntime", "--source", "synthetic:160x120@30#2", "--frames", 1)
    _, first, said = run(*live, "--set", "Smiling=0.5", "--view", "both")
    assert "as you left it" not in first and said.count("edits people's faces") == 1
    _, second, said = run(*live)
    assert "as you left it: Smiling 0.5" in second and "people's faces" not in said
    assert "as you left it" not in run(*live, "--fresh")[1]
    assert "as you left it: Smiling 0.5" in run(*live)[1]
    assert "as you left it" not in run(*live, "--set", "Blond_Hair=1")[1]
    assert "as you left it: Blond_Hair 1" in run(*live)[1]
    (file,) = (tmp_path / "config" / "edgegan" / "models").iterdir()
    assert json.loads(file.read_text())["look"]["view"] == "both"
    file.write_text("{")
    code, _, err = run(*live)
    assert code == 2 and str(file) in err.replace("\n", "")
    assert run(*live, "--sink", "null")[0] == 0  # where nobody watches, nothing is recalled
