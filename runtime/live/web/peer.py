"""A visitor's own camera over WebRTC: a track comes in, and goes back edited. For lossy and remote links."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

from ...errors import EdgeganError, InputError, MissingExtraError
from ...opencv import pyav
from ..controls.look import View
from .guests import Guest, Guests
from .ice import IceServer
from .newest import Newest


class Camera(Protocol):
    """Whose camera a connection carries: the guest that edits it, None once it is gone, and what is shown of it."""

    @property
    def guest(self) -> Guest | None:
        """Of this visitor."""
        ...

    @property
    def view(self) -> View:
        """Of this visitor."""
        ...


class Peer:
    """One connection, made from the browser's offer."""

    def __init__(self, guests: Guests, camera: Camera, most_pixels: int, ice: Sequence[IceServer]) -> None:
        pyav()  # before aiortc loads it
        try:
            from aiortc import RTCConfiguration, RTCPeerConnection
        except ImportError as error:
            raise MissingExtraError(error.name or "aiortc", "web") from None
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=self.servers(ice)))
        self._guests, self._camera, self._most_pixels = guests, camera, most_pixels
        self._pumps: list[asyncio.Task[None]] = []

    @staticmethod
    def servers(ice: Sequence[IceServer]) -> list[Any]:
        """As aiortc names them. A list even where there are none: else aiortc asks one of Google's for our address."""
        from aiortc import RTCIceServer

        return [RTCIceServer(**server.as_dict()) for server in ice]

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
            newest: Newest[Any] = Newest()
            self._pumps.append(asyncio.ensure_future(_fill(newest, track)))
            self._connection.addTrack(_make_track(newest, self._edit))

    async def _edit(self, frame: Any) -> Any:
        guest: Guest | None = self._camera.guest
        if guest is None or frame.width * frame.height > self._most_pixels:
            raise InputError(f"a picture of {frame.width}x{frame.height} came", f"at most {self._most_pixels} pixels")
        image = await self._guests.edit(guest, lambda: frame.to_ndarray(format="bgr24"), self._camera.view)
        edited = pyav().VideoFrame.from_ndarray(image, format="bgr24")
        edited.pts, edited.time_base = frame.pts, frame.time_base
        return edited


async def _fill(newest: Newest[Any], track: Any) -> None:
    """Fetches frames until the track ends: aiortc keeps all that are not fetched, and old ones are worth nothing."""
    from aiortc.mediastreams import MediaStreamError

    try:
        while True:
            newest.put(await track.recv())
    except MediaStreamError:
        newest.end()


def _make_track(newest: Newest[Any], edit: Any) -> Any:
    """A track that gives the newest frame edited; its class cannot be made before aiortc is there."""
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

    class Edited(MediaStreamTrack):  # type: ignore[misc, unused-ignore]
        kind = "video"

        async def recv(self) -> Any:
            frame, _ = await newest.take()
            if frame is None:
                self.stop()
                raise MediaStreamError
            try:
                return await edit(frame)
            except EdgeganError:
                self.stop()
                raise MediaStreamError from None

    return Edited()
