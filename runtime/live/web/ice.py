"""STUN and TURN servers: how the two ends of a WebRTC connection find each other across networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...errors import InputError
from ...redaction import MASK

# RFC 7064 and RFC 7065, with the user and password of TURN before the host, as other URLs have them.
_URL = re.compile(
    r"(?P<scheme>stun|turns?):(?:(?P<user>[^:@]+):(?P<password>[^:@]+)@)?"
    r"(?P<where>(?:[\w.\-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?P<transport>\?transport=(?:udp|tcp))?)"
)


@dataclass(frozen=True)
class IceServer:
    """One server. Every visitor of the page learns its password. Of several, aiortc uses the first STUN and the first
    TURN server, browsers all."""

    url: str
    username: str = ""
    credential: str = ""

    def as_dict(self) -> dict[str, Any]:
        """An RTCIceServer of the browser's."""
        known = {"username": self.username, "credential": self.credential} if self.username else {}
        return {"urls": self.url, **known}


def ice_server(text: str) -> IceServer:
    """A server as the command line has it: `stun:HOST[:PORT]`, or `turn[s]:USER:PASSWORD@HOST[:PORT]`.

    `?transport=udp` or `tcp` may follow for TURN. Characters such as `:` or `@` in user and password are
    percent-encoded. Raises InputError for anything else.
    """
    match = _URL.fullmatch(text)
    stun = match is not None and match["scheme"] == "stun"
    if match is None or stun == bool(match["user"]) or (stun and match["transport"]):
        # The message may be kept somewhere; where the password ends is known of plain ones alone.
        plain = re.fullmatch(r"(\w+:[^:@/]+):[^:@/?#]*@([^@]*)", text)
        shown = f"{plain[1]}:...@{plain[2]}" if plain else text.partition(":")[0] + f":{MASK}" if "@" in text else text
        raise InputError(
            f"--ice {shown} cannot be read",
            "stun:HOST[:PORT], or turn:USER:PASSWORD@HOST[:PORT][?transport=tcp]",
            "as in: --ice turn:kiosk:secret@turn.example.org:3478",
        )
    return IceServer(
        f"{match['scheme']}:{match['where']}", unquote(match["user"] or ""), unquote(match["password"] or "")
    )
