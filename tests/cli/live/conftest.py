"""Files to edit live, and the command."""

import msgspec
import pytest
from support import tiny_models
from support.av_clips import clip
from support.models.engine_cards import engine_facts

from edgegan.cli import main
from edgegan.runtime.model import artefact


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A face editor, a whole-frame model, a clip of 120 frames, and files that are wrong."""
    folder = tmp_path_factory.mktemp("live")
    tiny_models.write_editor(folder / "faces")
    tiny_models.write_whole_frame(folder / "negative", hw=(48, 64))
    clip(folder / "clip.mp4", frames=120)
    cut = (folder / "negative" / "model.onnx").read_bytes()[:-40]
    (folder / "cut").mkdir()
    (folder / "cut" / "model.onnx").write_bytes(cut)
    _write_engine(folder / "gpu")
    (folder / "text.mp4").write_text("no video " * 200)
    (folder / "empty").mkdir()
    return folder


def _write_engine(folder):
    """An engine, as far as its card tells: no GPU, no look into it."""
    card = artefact.load(tiny_models.write_editor(folder)).card
    engine = folder / "model.fp16.engine"
    engine.write_bytes(b"plan")
    sha256 = artefact.payload_sha256(engine)
    msgspec.structs.replace(
        card, precision="fp16", payload_sha256=sha256, built_with=engine_facts("tensorrt_rtx", "1.7.1.116")
    ).write(engine)


@pytest.fixture
def live(files, tmp_path, monkeypatch, capsys):
    """Runs the command in an empty folder; {f} in an argument is the folder of files. -> (code, out, err)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["live", *(a.format(f=files) for a in arguments)])
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run
