"""A camera in a window, with a slider for every attribute of the model. `q` or closing the window ends it.

    python examples/desktop_window.py [CAMERA NUMBER OR FILE] [MODEL]

`edgegan live` does all of this and more; here is what it takes in a program of one's own.
"""

import sys
import time

import cv2

from edgegan.runtime import EdgeganError, Editor, FaceOptions

WINDOW = "edgegan"
STEPS = 100  # of a slider


def main(arguments: list[str] | None = None) -> int:
    source, model = [*(sys.argv[1:] if arguments is None else arguments), None, None][:2]
    camera = cv2.VideoCapture(int(source or 0) if not source or source.isdecimal() else source)
    if not camera.isOpened():
        sys.exit(f"cannot open the camera or file {source or 0}")
    try:
        # `beside`: faces are searched in a thread, between two frames, as a live picture wants it.
        with Editor.open(model, faces=FaceOptions(beside=True)) as editor:
            names = editor.card.condition.names
            editor.warm_up()
            cv2.namedWindow(WINDOW)
            for name in names:
                cv2.createTrackbar(name, WINDOW, 0, STEPS, lambda value: None)
            while True:
                there, frame = camera.read()
                if not there:
                    break
                positions = {name: cv2.getTrackbarPos(name, WINDOW) / STEPS for name in names}
                # What is at 0 is left as it is on each face: a change to 0 would turn it off.
                changes = {name: value for name, value in positions.items() if value > 0}
                cv2.imshow(WINDOW, editor.edit(frame, changes, timestamp=time.monotonic()))
                closed = cv2.waitKey(1) in (ord("q"), 27) or cv2.getWindowProperty(WINDOW, cv2.WND_PROP_VISIBLE) < 1
                if closed:
                    break
            print(f"{editor.statistics.frames} frames")
    except EdgeganError as error:
        sys.exit(str(error))
    finally:
        camera.release()
        cv2.destroyAllWindows()
    return 0


if __name__ == "__main__":
    sys.exit(main())
