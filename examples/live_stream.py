"""The whole live loop inside a program of one's own: a source, an edit, and what becomes of the frames.

    python examples/live_stream.py Blond_Hair=1 --source 0 --sink window
    python examples/live_stream.py Black_Hair=1 --source rtsp://camera/stream --sink out.mp4 --seconds 10

Reading, editing and showing run beside each other; the newest frame wins for cameras, and a camera that goes away is
waited for. Every sink marks its pictures ("AI-edited"). The callback is where a program does what it likes with them.
"""

import argparse
import sys

from edgegan.runtime import Callback, EdgeganError, Frame, LiveSession


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--source", default="synthetic")
    parser.add_argument("--sink", default="window")
    parser.add_argument("--model")
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args(arguments)
    changes = {name: float(value) for name, _, value in (change.partition("=") for change in options.changes)}
    brightest = (0.0, 0)

    def watch(frame: Frame) -> None:
        nonlocal brightest
        brightest = max(brightest, (float(frame.image_bgr.mean()), frame.index))

    try:
        with LiveSession.open(options.model, options.source, [options.sink], changes=changes) as session:
            session.add(Callback(watch))
            stats = session.run(seconds=options.seconds)
    except EdgeganError as error:
        sys.exit(str(error))
    print(stats.summary())
    print(f"the brightest frame was number {brightest[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
