"""A recording behind a URL whose line is cut goes on where it stood."""

import math
import threading
import time
from contextlib import contextmanager
from itertools import islice

import av
import numpy as np
import pytest
from support.av_clips import draw_number, number_of
from support.servers.http import FileServer

from edgegan.runtime.errors import SourceError, SourceRefusedError
from edgegan.runtime.live.sinks.null import Null
from edgegan.runtime.live.sources import open_source
from edgegan.runtime.live.stream import Stream

FRAMES = 60
LENGTH_S = FRAMES / 25


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The same noisy film, of 600 kB, in three containers: with an index in front, behind, and without one."""
    folder = tmp_path_factory.mktemp("films")
    noise = np.random.default_rng(0).integers(0, 256, (FRAMES, 96, 256, 3), np.uint8)
    for number, picture in enumerate(noise):
        picture[32:64] = draw_number(number, 32, 256)
    for name in ("film.mp4", "film.mkv", "film.ts"):
        options = {"movflags": "faststart"} if name.endswith("mp4") else {}
        with av.open(str(folder / name), "w", options=options) as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "12", "qp": "20"})
            stream.width, stream.height, stream.pix_fmt = 256, 96, "yuv420p"
            for picture in noise:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            container.mux(stream.encode(None))
    return folder


def cut_at(folder, name, *shares):
    size = (folder / name).stat().st_size
    return [round(size * share) for share in shares]


@contextmanager
def rescue(source):
    """Stops what hangs after a minute, and fails the test then; however slow the machine is, nothing else does."""
    hung = threading.Event()
    watchdog = threading.Timer(60, lambda: (hung.set(), source.stop()))
    watchdog.start()
    yield
    watchdog.cancel()
    watchdog.join()
    assert not hung.is_set(), "it would not have ended by itself"


CASES = [
    ("film.mp4", {}),
    ("film.mp4", {"ranges": False}),
    ("film.mkv", {}),
    ("film.ts", {}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_frame_comes_once_and_in_order_though_the_line_was_cut_twice(films, name, options):
    with FileServer(films, near=True, **options) as server:
        with open_source(f"{server.url}/{name}", reconnect_s=math.inf) as source:
            assert (source.live, source.length) == (False, FRAMES)
            server.cuts = cut_at(films, name, 0.6, 0.8)
            frames = list(islice(source, 2 * FRAMES))
        assert not server.cuts
    assert [number_of(f.image_bgr) for f in frames] == list(range(FRAMES))
    assert [f.index for f in frames] == list(range(FRAMES))
    assert [f.moment_s for f in frames] == pytest.approx([n / 25 for n in range(FRAMES)], abs=2e-3)


def test_without_patience_a_cut_line_is_an_error(films):
    with FileServer(films, near=True) as server, open_source(f"{server.url}/film.mkv") as source:
        server.cuts = cut_at(films, "film.mkv", 0.6)
        with pytest.raises(SourceError):
            list(source)


def test_a_recording_that_is_itself_broken_does_not_go_round_for_ever(films, tmp_path):
    data = bytearray((films / "film.mp4").read_bytes())
    data[len(data) * 2 // 3 :] = bytes(len(data) - len(data) * 2 // 3)
    (tmp_path / "broken.mp4").write_bytes(data)
    with (
        FileServer(tmp_path) as server,
        open_source(f"{server.url}/broken.mp4", reconnect_s=math.inf) as source,
        rescue(source),
        pytest.raises(SourceRefusedError, match="is broken after"),
    ):
        list(source)


def test_a_run_that_waits_for_its_recording_can_be_ended(films):
    with FileServer(films) as server:
        source = open_source(f"{server.url}/film.mp4", reconnect_s=math.inf)
        server.cuts = cut_at(films, "film.mp4", 0.6)
        with source:
            while server.cuts:
                time.sleep(0.01)
            server.__exit__()  # and it does not come back
            before = threading.active_count()
            with rescue(source):
                # Longer than the recording: only that it is waited for can end the run.
                stats = Stream(source, lambda frame, record: frame.image_bgr, Null()).run(seconds=LENGTH_S + 0.6)
            assert threading.active_count() <= before
        server.__enter__()
    assert 0 < stats.shown < FRAMES
