"""One place under several names: nothing that a run reads is written to, and nothing is written to twice."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgegan.runtime.errors import EdgeganError, InputError, SinkError
from edgegan.runtime.live.session import LiveSession
from edgegan.runtime.live.sinks import open_sink
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.places import local_path, model_parts, refuse_clashes


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Every way to name one file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    film = tmp_path / "a film.mp4"
    film.write_bytes(b"film")
    (tmp_path / "link.mp4").symlink_to(film)
    os.link(film, tmp_path / "hard.mp4")
    (tmp_path / "there").symlink_to(tmp_path, target_is_directory=True)
    return [
        str(film), "a film.mp4", "./a film.mp4", "sub/../a film.mp4", "link.mp4", "hard.mp4", "there/a film.mp4",
        film.as_uri(), f"file://{film}", f"file:{film}", f"FILE://localhost{film}".replace(" ", "%20"),
        f"cache://{film}", f'gst:filesrc location="{film}" ! decodebin',
    ]  # fmt: skip


def test_no_name_of_the_source_can_be_written_to(names):
    for read in names:
        for write in names[:-2]:
            with pytest.raises(InputError, match="is the source"):
                refuse_clashes({read: "the source"}, ["null", write])


def test_no_place_is_written_to_twice(names):
    for first in names[:-2]:
        for second in names[:-2]:
            with pytest.raises(InputError, match="twice|once more"):
                refuse_clashes({}, [first, second])
    for pair in (["-", "stdout"], ["-", "/dev/stdout"], ["new.mp4", "./new.mp4"], ["new/", "new"], ["window", "window"],
                 ["virtualcam", "virtualcam:/dev/video9"], ["new.mp4", "file:new.mp4"]):  # fmt: skip
        with pytest.raises(InputError):
            refuse_clashes({}, pair)
    with pytest.raises(InputError):
        LiveSession.open(None, "synthetic", ["new.mp4", "./new.mp4"])
    with pytest.raises(InputError):
        LiveSession.open(None, names[0], [names[-3]])
    with pytest.raises(InputError):
        refuse_clashes({"9": "the source"}, ["virtualcam:/dev/video9"])


def test_different_places_are_let_be(names):
    refuse_clashes(
        dict.fromkeys(["a film.mp4", "0", "rtsp://cam/a"], "the source"),
        ["b.mp4", "c.mp4", "null", "null", "window", "frames/", "-"],
    )


@pytest.mark.parametrize("spec", ["http://host/out.mp4", "rtmp://user:hunter2@host/live", "file://host/share/out.mp4"])
def test_an_address_is_no_place_to_write_to(tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SinkError, match="is an address") as refused:
        open_sink(spec)
    assert "hunter2" not in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_literal_name_counts_before_a_decoded_one(tmp_path):
    (tmp_path / "a%20b.mp4").touch()
    assert local_path(f"file://{tmp_path}/a%20b.mp4") == tmp_path / "a%20b.mp4"
    assert local_path(f"file://{tmp_path}/c%20d.mp4") == tmp_path / "c d.mp4"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", "", "/", ".png"])
@pytest.mark.parametrize("name", ["n" * 260, "é" * 200, "n" * 5000, "nul\0byte"])
def test_names_that_no_file_can_have_are_refused_in_words(tmp_path, name, suffix):
    with pytest.raises(SinkError), open_sink(f"{tmp_path}/{name}{suffix}"):
        pytest.fail("it was opened")
    with pytest.raises(EdgeganError):
        open_source(f"{tmp_path}/{name}{suffix}")


@given(st.text(max_size=40))
def test_any_text_is_checked_without_a_traceback(text):
    refuse_clashes({text: "the source"}, ["null"])
    local_path(text)


def test_files_in_a_folder_that_is_read_are_not_written_to_and_new_ones_may_be(tmp_path):
    (tmp_path / "pets" / "cats").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "pets", target_is_directory=True)
    for name in ("cats/a.PNG", "labels.csv", "out.mp4"):
        (tmp_path / "pets" / name).write_bytes(b"mine")
    for folder in ("pets", "link"):
        for name in ("cats/a.PNG", "labels.csv"):
            with pytest.raises(InputError, match="one of the files in"):
                refuse_clashes({}, [f"{tmp_path}/pets/{name}"], folders=[f"{tmp_path}/{folder}"])
        refuse_clashes(
            {}, [f"{tmp_path}/pets/{name}" for name in ("b.png", "out.mp4")], folders=[str(tmp_path / folder)]
        )
    refuse_clashes({}, [f"{tmp_path}/pets/labels.csv"], folders=["rtsp://cam/a", "0", str(tmp_path / "else")])


def test_of_what_lies_beside_a_model_only_its_own_files_are_read(tmp_path):
    """An earlier run's recording may be replaced, as anywhere else."""
    mine = ("model.onnx", "model.onnx.card.json", "weights.onnx_data", "golden.npz", "config.json", "0.safetensors")
    for name in (*mine, "out.mp4", "stats.json", "worst.png"):
        (tmp_path / name).touch()
    for model in (tmp_path, tmp_path / "model.onnx"):
        for name in mine:
            with pytest.raises(InputError, match="the model"):
                refuse_clashes(model_parts(model), [str(tmp_path / name)])
        refuse_clashes(model_parts(model), [str(tmp_path / name) for name in ("out.mp4", "stats.json", "worst.png")])
