"""A camera for machines that have none."""

import time

import cv2
import numpy as np

from edgegan.runtime.live.sources import camera


class Driver:
    """Stands in for OpenCV's camera, since there is none here: gives `pictures` of the size it is `set` to, or of
    the only one it has; `formats` are those that give any."""

    pictures, only_hw, formats, opens, asked, decode_s = 3, None, ("MJPG", "own"), True, [], 0.0

    def __init__(self, *args):
        self.opened, self.format, self.hw, self.left = type(self).opens, "own", [480, 640], type(self).pictures

    def isOpened(self):
        return self.opened

    def set(self, prop, value):
        self.asked.append((prop, value))
        if prop == cv2.CAP_PROP_FOURCC:
            self.format = "MJPG"
        if prop in (cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH):
            self.hw[prop == cv2.CAP_PROP_FRAME_WIDTH] = int(value)
        return True

    def get(self, prop):
        if prop == cv2.CAP_PROP_FOURCC:
            return float(cv2.VideoWriter.fourcc(*("MJPG" if self.format == "MJPG" else "YUYV")))
        return 30.0

    def grab(self):
        self.left -= 1
        return self.left >= 0 and self.format in self.formats

    def retrieve(self):
        time.sleep(self.decode_s)
        return True, np.zeros((*(self.only_hw or self.hw), 3), np.uint8)

    def read(self):
        return self.retrieve() if self.grab() else (False, None)

    def release(self):
        self.opened = False


def install(monkeypatch, folder):
    """Puts it in the place of OpenCV's, as camera 0 with its device file in `folder`. -> a class of its own, to set"""
    (folder / "video0").touch()
    monkeypatch.setattr(camera, "NODES", folder)
    monkeypatch.setattr(camera, "_PATIENCE_S", 0.1)
    monkeypatch.setattr(cv2, "VideoCapture", type("Here", (Driver,), {"asked": []}))
    return cv2.VideoCapture
