"""What `edgegan live` does with each frame: by which clock it edits, and with what stands alone."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from support import tiny_models

from edgegan.cli import main
from edgegan.runtime.edit.editor import Editor
from edgegan.runtime.live.sources.synthetic import Synthetic

PORTRAITS = (0, 60, 120)  # frames of one camera: before one backdrop, which a video's flow does not take for a cut


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A face editor, a whole-frame model, and a folder of portraits."""
    folder = tmp_path_factory.mktemp("show")
    tiny_models.write_editor(folder / "faces")
    tiny_models.write_whole_frame(folder / "negative", hw=(48, 64))
    (folder / "album").mkdir()
    with Synthetic((180, 320), seed=1) as source:
        for number, index in enumerate(PORTRAITS):
            cv2.imwrite(str(folder / "album" / f"{number}.png"), source.frame_at(index))
    return folder


@pytest.fixture
def live(files, tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder, with settings of its own. -> (code, what was said)"""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["live", *(str(a) for a in arguments)])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out + err

    return run


@pytest.mark.parametrize("how", [[], ["--realtime"], ["--web", "--port", "0"]], ids=["files", "realtime", "web"])
def test_pictures_of_a_folder_stand_alone_whatever_their_pace(live, files, how):
    if "--web" in how:
        pytest.importorskip("starlette", reason="the web extra is not installed")
    options = ("--set", "Smiling=0", "--sink", "out", "--no-label")
    code, said = live(files / "faces", "--source", files / "album", *options, *how)
    assert code == 0, said
    with Editor.open(files / "faces") as editor:
        for number in range(len(PORTRAITS)):
            before = cv2.imread(str(files / "album" / f"{number}.png"))
            after = cv2.imread(f"out/frame_{number:06d}.png")
            assert np.array_equal(after, editor.edit(before, {"Smiling": 0.0}))
            assert (after != before).mean() > 0.01


def test_a_folder_with_a_rate_is_a_video(live, files):
    options = ("--set", "Smiling=0", "--sink", "out", "--no-label", "--fps", "10")
    assert live(files / "faces", "--source", files / "album", *options)[0] == 0
    with Editor.open(files / "faces") as editor, Editor.open(files / "faces") as forgetful:
        same = []
        for number in range(len(PORTRAITS)):
            before = cv2.imread(str(files / "album" / f"{number}.png"))
            after = cv2.imread(f"out/frame_{number:06d}.png")
            assert np.array_equal(after, editor.edit(before, {"Smiling": 0.0}, timestamp=number / 10))
            same.append(np.array_equal(after, forgetful.edit(before, {"Smiling": 0.0})))
    assert same == [True, False, False]


def test_one_picture_on_the_page_stays_and_does_not_spin(live, files, tmp_path):
    pytest.importorskip("starlette", reason="the web extra is not installed")
    Pillow.new("RGB", (64, 48), (200, 100, 50)).save(tmp_path / "face.png")
    options = ("--web", "--port", "0", "--seconds", "1", "--stats-json", "stats.json")
    code, said = live(files / "negative", "--source", "face.png", *options)
    assert code == 0, said
    shown = json.loads((tmp_path / "stats.json").read_bytes())["frames"]["shown"]
    assert 3 <= shown <= 27  # 25 a second
