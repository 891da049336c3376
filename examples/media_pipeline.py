"""A stage of a media pipeline: raw BGR frames on stdin, the same edited on stdout.

    ffmpeg -i in.mp4 -f rawvideo -pix_fmt bgr24 - |
        python examples/media_pipeline.py 1280x720 Black_Hair=1 |
        ffmpeg -f rawvideo -pix_fmt bgr24 -s 1280x720 -r 25 -i - out.mp4

Between GStreamer's fdsink and fdsrc it works alike. One buffer serves all frames.
"""

import argparse
import sys

import numpy as np

from edgegan.runtime import EdgeganError, Editor


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", metavar="WIDTHxHEIGHT")
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--model")
    options = parser.parse_args(arguments)
    width, height = (int(side) for side in options.size.split("x"))
    changes = {name: float(value) for name, _, value in (change.partition("=") for change in options.changes)}

    frame = np.empty((height, width, 3), np.uint8)
    buffer = memoryview(frame).cast("B")
    number = 0
    try:
        with Editor.open(options.model) as editor:
            editor.warm_up((height, width))
            while (read := sys.stdin.buffer.readinto(buffer)) == len(buffer):  # waits for a whole frame
                editor.edit(frame, changes, timestamp=number / options.fps, out=frame)
                sys.stdout.buffer.write(buffer)
                number += 1
        sys.stdout.buffer.flush()
    except EdgeganError as error:
        sys.exit(str(error))
    except BrokenPipeError:  # the next stage has what it wanted
        sys.stderr.close()
        return 0
    if read:
        sys.exit(f"the last of {number + 1} frames is cut short: is every frame {width}x{height} bgr24?")
    return 0


if __name__ == "__main__":
    sys.exit(main())
