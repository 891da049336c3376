"""A film's picture as it is meant to be seen: turned, mirrored, of square pixels, in the right colours."""

import gc
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ffmpeg
from support.av_clips import clip

from edgegan.runtime.live.media.orientation import from_matrix
from edgegan.runtime.live.media.pictures import square_size
from edgegan.runtime.live.media.tone_mapping import to_sdr
from edgegan.runtime.live.sources import open_source

# The eight ways a picture can lie, as (a, b, c, d) of its display matrix, and what FFmpeg's own filters do about them.
TURNS = {
    "upright": ((1, 0, 0, 1), []),
    "mirrored": ((-1, 0, 0, 1), ["hflip"]),
    "upside_down": ((-1, 0, 0, -1), ["hflip", "vflip"]),
    "mirrored_down": ((1, 0, 0, -1), ["vflip"]),
    "clockwise": ((0, 1, -1, 0), ["transpose=clock"]),
    "anticlockwise": ((0, -1, 1, 0), ["transpose=cclock"]),
    "transposed": ((0, 1, 1, 0), ["transpose=cclock_flip"]),
    "transversed": ((0, -1, -1, 0), ["transpose=clock_flip"]),
}
COLOURS = np.array(
    [[255, 255, 255], [0, 0, 255], [0, 255, 0], [255, 0, 0], [200, 120, 80], [64, 64, 64], [90, 160, 230]], np.uint8
)


def test_no_decoded_frame_outlives_its_turn(tmp_path):
    """A frame in a circle of references stays, with its picture, until Python looks for circles."""

    def count():
        return sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())

    with open_source(str(clip(tmp_path / "film.mp4", frames=12))) as film:
        gc.collect()
        gc.disable()
        try:
            before = count()
            assert sum(1 for _ in film) == 12 and count() <= before + 1
        finally:
            gc.enable()


def lay(path, turn):
    """Writes the matrix of a turn into the track header of an MP4 file."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (65536 * each for each in TURNS[turn][0])
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def bars(path, size_wh, codec="libx264", **tags):
    """Seven colour bars, coded with the matrix and range of `tags` (numbers of H.273), which the file also names."""
    width, height = size_wh
    picture = np.repeat(np.repeat(COLOURS[None], -(-width // 7), 1)[:, :width], height, 0)
    matrix, full = tags.get("colorspace", 5), tags.get("color_range") == 2
    named = {name: value for name, value in tags.items() if name != "coded_as"}
    swscale = {1: 1, 5: 5, 6: 5, 7: 7, 9: 9}[tags.get("coded_as", matrix)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"qp": "0"} if codec == "libx264" else {})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
        for name, value in named.items():
            setattr(stream.codec_context, name, value)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24").reformat(
            format="yuv444p", dst_colorspace=swscale, dst_color_range="JPEG" if full else "MPEG"
        )
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def colours(path):
    """The colours of the bars as a source shows them."""
    with open_source(str(path)) as source:
        picture = next(iter(source)).image_bgr
    return picture[picture.shape[0] // 2, [round(picture.shape[1] * (n + 0.5) / 7) for n in range(7)]].astype(int)


@pytest.mark.parametrize("turn", TURNS)
def test_every_turn_and_mirror_image_is_shown_as_ffmpeg_shows_it(tmp_path, turn):
    path = lay(clip(tmp_path / "a.mp4", frames=3), turn)
    with open_source(str(path)) as source:
        picture = next(iter(source)).image_bgr
        assert source.size_hw == picture.shape[:2] == ((64, 48) if TURNS[turn][1][:1] and "transpose" in
                                                       TURNS[turn][1][0] else (48, 64))  # fmt: skip
    assert np.abs(picture.astype(int) - ffmpeg.first_picture(path, picture.shape[:2])).max() <= 2


@given(st.binary(max_size=40))
def test_no_matrix_that_a_file_may_hold_loses_or_adds_a_pixel(data):
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    turned = from_matrix(data).apply(picture)
    assert sorted(turned.reshape(-1, 3).tolist()) == picture.reshape(-1, 3).tolist()


@pytest.mark.parametrize(("aspect", "size_wh"), [("64/45", (1024, 576)), ("16/15", (768, 576)), ("8/9", (720, 648))])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_pixels_become_square(tmp_path, aspect, size_wh, suffix):
    source_wh = (720, 576)
    out = tmp_path / f"a.{suffix}"
    ffmpeg.make(out, "-f", "lavfi", "-i", "testsrc=s=720x576:d=0.2", "-vf", f"setsar={aspect}",
                "-pix_fmt", "yuv420p", "-c:v", "libx264")  # fmt: skip
    with open_source(str(out)) as source:
        assert source.size_hw == size_wh[::-1] == next(iter(source)).image_bgr.shape[:2]
    assert square_size(*source_wh, Fraction(aspect)) == size_wh


def test_a_turned_film_with_wide_pixels_is_stretched_along_its_own_side(tmp_path):
    flat = ffmpeg.make(
        tmp_path / "a.mp4", "-f", "lavfi", "-i", "testsrc=s=64x48:d=0.2", "-vf", "setsar=2", "-pix_fmt", "yuv420p"
    )
    with open_source(str(lay(flat, "clockwise"))) as source:
        assert source.size_hw == (128, 48)


@pytest.mark.parametrize("tags", [
    {"colorspace": 1}, {"colorspace": 6}, {"colorspace": 7}, {"colorspace": 1, "color_range": 2},
    {"colorspace": 5, "color_range": 2},
])  # fmt: skip
def test_matrix_and_range_are_those_that_the_file_names(tmp_path, tags):
    assert np.abs(colours(bars(tmp_path / "a.mkv", (280, 64), **tags)) - COLOURS).max() <= 3


@pytest.mark.parametrize(("size_wh", "matrix"), [((1280, 720), 1), ((1024, 578), 1), ((720, 576), 5), ((280, 64), 5)])
def test_what_names_no_matrix_is_read_by_its_size(tmp_path, size_wh, matrix):
    assert np.abs(colours(bars(tmp_path / "a.mkv", size_wh, coded_as=matrix, colorspace=2)) - COLOURS).max() <= 3


def test_reference_white_and_greys_of_hdr_keep_their_brightness_and_more_is_compressed():
    def pq(nits):
        power = (np.asarray(nits) / 10_000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375

    greys = np.array([0.0, 0.25, 0.5, 0.8])
    shown = to_sdr(np.repeat(pq(203 * greys**2.4)[:, None], 3, 1), "PQ")
    assert shown[:, 0] == pytest.approx(greys, abs=2e-3)
    bright = to_sdr(np.repeat(pq(np.array([150.0, 203, 400, 800, 1000]))[:, None], 3, 1), "PQ")[:, 0]
    assert (np.diff(bright) > 0).all() and bright[1] > 0.93 and bright[-1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("transfer", "name"), [("smpte2084", "PQ"), ("arib-std-b67", "HLG")])
def test_hdr_is_mapped_as_ffmpeg_maps_it_and_said(tmp_path, transfer, name):
    path = ffmpeg.make(
        tmp_path / "hdr.mkv", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=0.1", "-vf",
        f"zscale=tin=bt709:min=bt709:pin=bt709:rin=tv:t={transfer}:m=bt2020nc:p=bt2020:npl=203:agamma=0,format=yuv420p10le",
        "-c:v", "libx265", "-x265-params", "log-level=error:lossless=1",
        "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc",
    )  # fmt: skip
    with open_source(str(path)) as source:
        picture = next(iter(source)).image_bgr.astype(int)
        assert any(name in note and "SDR" in note for note in source.notes)
    judge = ffmpeg.first_picture(
        path, (240, 320), "zscale=t=linear:npl=203:agamma=0,format=gbrpf32le,zscale=p=bt709:agamma=0",
        "tonemap=tonemap=mobius:param=0.75:desat=0:peak=4.926", "zscale=t=bt709:m=bt709:r=tv:agamma=0,format=yuv444p",
    )  # fmt: skip
    assert np.abs(picture - judge).mean() <= 4.0


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.sampled_from(["PQ", "HLG", "BT.2020"]))
def test_no_colour_leaves_the_range(colour, kind):
    mapped = to_sdr(np.array([colour]), kind)
    assert np.isfinite(mapped).all() and mapped.min() >= 0 and mapped.max() <= 1
