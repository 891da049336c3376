"""Small H.264 clips whose frames tell their own number."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def draw_number(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A picture whose eight stripes are the bits of `number`, black or white."""
    picture = np.zeros((height, width, 3), np.uint8)
    for bit in range(8):
        picture[:, bit * width // 8 : (bit + 1) * width // 8] = 255 * (number >> bit & 1)
    return picture


def number_of(picture: np.ndarray) -> int:
    """The number that `draw_number` drew; survives compression."""
    height, width = picture.shape[:2]
    return sum(int(picture[height // 2, bit * width // 8 + width // 16, 1] > 127) << bit for bit in range(8))


def clip(path: Path, *, frames: int, fps: int = 30, starts: list[float] | None = None) -> Path:
    """Writes an ordinary H.264 file with B-frames, as a phone would; `starts` gives each frame its own second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        if starts:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            picture = av.VideoFrame.from_ndarray(draw_number(number), format="bgr24")
            if starts:
                picture.pts, picture.time_base = round(1000 * starts[number]), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def add_sound(
    path: Path, out: Path, *, seconds: float, codec: str = "aac", click_s: float = 1.0, late_s: float = 0.0
) -> Path:
    """Copies the video of `path` and puts a sound beside it: silence with one loud tone that begins at `click_s`.

    Both begin at `late_s` of the file's own time.
    """
    rate = 48_000
    wave = np.zeros(round(seconds * rate), np.float32)
    begin = round(click_s * rate)
    wave[begin : begin + rate // 10] = 0.8 * np.sin(np.arange(rate // 10) * 2 * np.pi * 1000 / rate)
    with av.open(str(path)) as video, av.open(str(out), "w") as container:
        pictures = container.add_stream_from_template(video.streams.video[0])
        sound = container.add_stream(codec, rate=rate, layout="mono")
        for packet in video.demux(video=0):
            if packet.dts is not None:
                packet.pts += round(late_s / packet.time_base)
                packet.dts += round(late_s / packet.time_base)
                packet.stream = pictures
                container.mux(packet)
        for at in range(0, len(wave), 1024):
            samples = np.ascontiguousarray(wave[None, at : at + 1024])
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, at + round(late_s * rate), Fraction(1, rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return out


def packets_of(path: Path, kind: str = "audio") -> list[tuple[float, bytes]]:
    """(second, bytes) of each packet of the first stream of that kind."""
    with av.open(str(path)) as container:
        stream = getattr(container.streams, kind)[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.pts is not None]


def loud_at(path: Path) -> float:
    """The second at which the sound becomes loud."""
    found = clicks(path)
    assert found, "it is silent"
    return found[0]


def clicks(path: Path) -> list[float]:
    """The seconds at which the sound becomes loud, after at least half a second of silence."""
    found, loud_s = [], -1.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=stream.rate)
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                for at in np.flatnonzero(np.abs(part.to_ndarray()[0]) > 0.2):
                    second = float(part.time) + at / part.sample_rate
                    if second - loud_s > 0.5:
                        found.append(second)
                    loud_s = second
    return found


def read_back(path: Path) -> tuple[list[int], list[float], av.VideoCodecContext]:
    """Numbers and seconds of the frames of the video at `path`, and how they are coded."""
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        frames = [(number_of(f.to_ndarray(format="bgr24")), f.time) for f in container.decode(video=0)]
    return [n for n, _ in frames], [t for _, t in frames], context
