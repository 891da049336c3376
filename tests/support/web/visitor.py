"""A visitor of the page without a browser: the WebSocket that the page's script opens."""

from __future__ import annotations

import json
import struct
import time
from dataclasses import dataclass, field

import cv2
import numpy as np
from websockets.sync.client import connect

from edgegan.runtime.live.source import Frame


@dataclass
class Visitor:
    """Keeps what was said last of each type; `picture` waits for the next frame."""

    socket: object
    heard: dict = field(default_factory=dict)

    @classmethod
    def at(cls, page, *, headers=None, token="", **more):
        url = page.url.partition("?")[0].replace("http", "ws", 1) + "ws" + (f"?token={token}" if token else "")
        return cls(connect(url, additional_headers=headers or {}, compression=None, max_size=None, **more))

    def say(self, type_, **wish):
        self.socket.send(json.dumps({"type": type_, **wish}))

    def wait(self, type_, right=lambda message: True, timeout=5.0):
        """The first message of the type that is right, past or to come."""
        deadline = time.monotonic() + timeout
        while type_ not in self.heard or not right(self.heard[type_]):
            self._take(deadline)
        return self.heard[type_]

    def state(self, name, right, timeout=5.0):
        """Waits until a slider's value is right."""

        def matches(message):
            return any(s["name"] == name and right(s["value"]) for s in message["sliders"])

        return self.wait("state", matches, timeout)

    def picture(self, timeout=5.0, *, answer=True):
        """-> (about, picture); tells the server that it was shown."""
        deadline = time.monotonic() + timeout
        while True:
            found = self._take(deadline)
            if found is not None:
                if answer:
                    self.say("shown")
                return found

    def _take(self, deadline):
        message = self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        if isinstance(message, str):
            said = json.loads(message)
            self.heard[said["type"]] = said
            return None
        (length,) = struct.unpack(">I", message[:4])
        about = json.loads(message[4 : 4 + length])
        return about, cv2.imdecode(np.frombuffer(message[4 + length :], np.uint8), cv2.IMREAD_COLOR)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def frame(index=0, value=90, hw=(48, 64)):
    """A frame of one colour that grows lighter to the right, as JPEG keeps well."""
    image = np.full((*hw, 3), value, np.uint8)
    image[:, :, 2] += np.linspace(0, 60, hw[1]).astype(np.uint8)
    return Frame(image, index, time.monotonic(), "test")


def until(right, timeout=10.0):
    """Whether it becomes right in time."""
    deadline = time.monotonic() + timeout
    while not right():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
