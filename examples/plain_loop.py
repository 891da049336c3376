"""A video in, a video out: the plain loop with OpenCV.

    python examples/plain_loop.py in.mp4 out.mp4 Black_Hair=1 Eyeglasses=1 [--model MODEL]

Attributes are those that `edgegan info MODEL` lists. MODEL is a path, or the name of a model that ships, as
`edgegan info` lists them; without one, that for cameras and clips is used.
"""

import argparse
import sys

import cv2

from edgegan.runtime import EdgeganError, Editor


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("changes", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--model")
    options = parser.parse_args(arguments)
    changes = {name: float(value) for name, _, value in (change.partition("=") for change in options.changes)}

    video = cv2.VideoCapture(options.source)
    if not video.isOpened():
        sys.exit(f"cannot read {options.source}")
    fps = video.get(cv2.CAP_PROP_FPS) or 25.0
    size = (int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    target = cv2.VideoWriter(options.target, cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    frames = 0
    try:
        with Editor.open(options.model) as editor:
            for notice in editor.notices:
                print(notice, file=sys.stderr)
            while True:
                there, frame = video.read()
                if not there:
                    break
                # The timestamp says that the frames are one video: faces are followed from each to the next.
                editor.edit(frame, changes, timestamp=frames / fps, out=frame)
                target.write(frame)
                frames += 1
            times = editor.statistics.stages_ms.get("total", {})
    except EdgeganError as error:
        sys.exit(str(error))
    finally:
        video.release()
        target.release()
    print(f"{frames} frames, {times.get('p50', 0.0):.1f} ms each (p95 {times.get('p95', 0.0):.1f} ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
