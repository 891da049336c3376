"""A visitor's own camera over WebRTC: a track comes in, and goes back edited. For lossy and remote links."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..errors import EdgeganError, InputError, MissingExtraError
from ..opencv import pyav
from .guests import Guest, Guests

if TYPE_CHECKING:
    from .visitors import Visitor


class Peer:
    """One connection, made from the browser's offer."""

    def __init__(self, guests: Guests, visitor: Visitor, most_pixels: int) -> None:
        pyav()  # before aiortc loads it
        try:
            from aiortc import RTCConfiguration, RTCPeerConnection
        except ImportError as error:
            raise MissingExtraError(error.name or "aiortc", "web") from None
        # No ICE servers: by default aiortc would ask one of Google's for our address.
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._guests, self._visitor, self._most_pixels = guests, visitor, most_pixels
        self._pumps: list[asyncio.Task[None]] = []

    async def answer(self, sdp: str) -> str:
        """The answer to an offer, both as SDP. Raises InputError for an offer that cannot be met."""
        from aiortc import RTCSessionDescription
        from aiortc.exceptions import InvalidStateError

        connection = self._connection
        connection.on("track", self._on_track)
        try:
            await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
            if not self._pumps:
                raise InputError("the offer holds no video track")
            await connection.setLocalDescription(await connection.createAnswer())
        except (ValueError, KeyError, IndexError, AssertionError, InvalidStateError) as error:
            raise InputError(f"the offer cannot be met: {error}") from None
        return str(connection.localDescription.sdp)

    async def close(self) -> None:
        """Ends the connection."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        await self._connection.close()

    def _on_track(self, track: Any) -> None:
        if track.kind == "video" and not self._pumps:
            newest = _Newest()
            self._pumps.append(asyncio.ensure_future(newest.fill(track)))
            self._connection.addTrack(_edited_track(newest, self._edit))

    async def _edit(self, frame: Any) -> Any:
        guest: Guest | None = self._visitor.guest
        if guest is None or frame.width * frame.height > self._most_pixels:
            raise InputError(f"a picture of {frame.width}x{frame.height} came", f"at most {self._most_pixels} pixels")
        image = await self._guests.edit(guest, lambda: frame.to_ndarray(format="bgr24"), self._visitor.view)
        edited = pyav().VideoFrame.from_ndarray(image, format="bgr24")
        edited.pts, edited.time_base = frame.pts, frame.time_base
        return edited


class _Newest:
    """The last frame that a track gave: aiortc keeps all that are not fetched, and old ones are worth nothing."""

    def __init__(self) -> None:
        self._frame: Any = None
        self._ended = False
        self._changed = asyncio.Event()

    async def fill(self, track: Any) -> None:
        """Fetches until the track ends."""
        from aiortc.mediastreams import MediaStreamError

        try:
            while True:
                self._frame = await track.recv()
                self._changed.set()
        except MediaStreamError:
            self._ended = True
            self._changed.set()

    async def take(self) -> Any:
        """The newest frame that was not taken yet; None after the last."""
        while self._frame is None and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        frame, self._frame = self._frame, None
        return frame


def _edited_track(newest: _Newest, edit: Any) -> Any:
    """A track that gives the newest frame edited; its class cannot be made before aiortc is there."""
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

    class Edited(MediaStreamTrack):  # type: ignore[misc, unused-ignore]
        kind = "video"

        async def recv(self) -> Any:
            frame = await newest.take()
            if frame is None:
                self.stop()
                raise MediaStreamError
            try:
                return await edit(frame)
            except EdgeganError:
                self.stop()
                raise MediaStreamError from None

    return Edited()
