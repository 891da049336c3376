"""Addresses as they may be shown: in a terminal, a log, a figure's file, a picture's text, an error.

Cameras take passwords before the host, in the query and even in the path, and such an address is pasted by hand: with
an `@` or `/` in the password as it is. What is shown is therefore built from what is known to be harmless.
"""

from __future__ import annotations

import re
from os import PathLike, fspath
from urllib.parse import unquote, urlsplit

MASK = "***"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>|\\^`]*")
# An address with a name and password in it whose "://" was typed wrongly, as rtsp:/ or rtsp:\\\\.
_MISTYPED = re.compile(
    r"\b(rtsps?|rtmps?|https?|srt|rtp|udp|tcp|ftps?|mms)(?!://)[:;/\\]{1,4}[^\s\"'<>|]*@[^\s\"'<>|]*", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[\w.\-]+)?\]|[^\s:@/\[\]]*")
# Parts of the names of what lets someone in, or says who comes in.
_SECRET = re.compile(
    r"pass|pwd|psw|pw$|secret|token|key|auth|cred|sig$|signature|session|sid$|jwt|cookie|hash|nonce|otp|pin$|code$"
    r"|^psk$|^tok$|^sas$|user|usr|login|account|admin|streamid|policy|access|private|^[pu]$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"([A-Za-z][\w%.\-\[\]]*)([=:])([^&;,/?#]*)")
# A segment of a path that is a key in itself: a JSON web token, or a long word of digits and letters.
_TOKEN = re.compile(r"eyJ[\w\-]+\.[\w\-]+(\.[\w\-]+)?|(?=[^.]*\d)(?=[^.]*[A-Za-z])[\w\-]{24,}")
_KEYED = ("rtmp", "rtmps", "rtmpt", "rtmpe")  # the last segment of such a path is the stream's key
_OPAQUE = 12  # characters; a longer word that stands alone in a query may itself be a key
# The same where no address stands: user-pw=... of a pipeline, password: ... of a library's words.
_OPTION = re.compile(
    r"(?P<name>[\w\-]*(?:passw(?:or)?d|passphrase|pwd|user-?pw|user-id|secret|token|api-?key|authorization)[\w\-]*)"
    r"(?P<sign>\s*[=:]\s*)(?P<value>\"[^\"]*\"|'[^']*'|\S+)",
    re.IGNORECASE,
)


def redact(spec: str) -> str:
    """`spec`, an address, a path or a pipeline, without what lets anyone in: `***` stands in its place.

    Of an address are shown its scheme, its host and port, and what of path and query names no secret; of one that
    cannot be parsed without a doubt, its scheme alone. Text around addresses stays.
    """
    return legible(_address(spec) if _ADDRESS.match(spec) else redact_text(spec))


def legible(name: str | PathLike[str]) -> str:
    """A name that can be written into any text: bytes of it that are no UTF-8 become question marks."""
    return fspath(name).encode("utf-8", "replace").decode("utf-8")


def redact_text(text: str) -> str:
    """Text with each address in it, and each option that is named like a secret, made fit to be shown."""
    text = _MISTYPED.sub(lambda found: f"{found[1]}:{MASK}", text)
    return _OPTION.sub(_hide_option, _ADDRESS.sub(lambda found: _address(found[0]), text))


def _hide_option(found: re.Match[str]) -> str:
    return found[0] if MASK in found["value"] else f"{found['name']}{found['sign']}{MASK}"


def _address(address: str) -> str:
    scheme, _, rest = address.partition("://")
    hidden = f"{scheme}://{MASK}"
    if not _SCHEME.fullmatch(scheme):
        return MASK
    if scheme.lower() == "file":
        return address
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.netloc.rpartition("@")[2]
    except ValueError:
        return hidden
    name = host if port is None else host.rpartition(":")[0]
    user = parts.netloc.rpartition("@")[0]
    # An "@" behind the host, plain or encoded, may end a password that holds "/", "?" or "#": then the host is none.
    behind = unquote(rest[len(parts.netloc) :])
    if "@" in behind or "://" in behind or not _HOST.fullmatch(name) or not rest.startswith(parts.netloc):
        return hidden
    path = _path(parts.path)
    if scheme.lower() in _KEYED:
        path = re.sub(r"(?<=/)[^/]+$", MASK, path)
    shown = f"{scheme}://" + (f"{MASK}@" if user else "") + host + path
    if parts.query and MASK in shown.rpartition("/")[2]:  # the password there may hold a "?"
        shown += f"?{MASK}"
    elif parts.query:
        shown += "?" + "".join(map(_item, re.split(r"([&;])", parts.query)))
    return shown + (f"#{MASK}" if parts.fragment else "")


def _path(path: str) -> str:
    """Some recorders take the password there: /user=admin_password=1234_channel=1.sdp."""
    return "/".join(_segment(each) for each in path.split("/"))


def _segment(segment: str) -> str:
    """A segment up to the first pair that is named like a secret: where its value ends, nobody knows."""
    for pair in _PAIR.finditer(unquote(segment)):
        if any(_SECRET.search(word) for word in re.split(r"[_.\-]", pair[1])):
            return MASK
    return MASK if _TOKEN.fullmatch(segment) else segment


def _item(item: str) -> str:
    name, sign, value = item.partition("=")
    if item in ("&", ";"):
        return item
    if not sign:
        return MASK if len(item) >= _OPAQUE else item
    if not value:
        return item
    words = unquote(unquote(name))
    return f"{name}={MASK}" if _SECRET.search(words) or not words.isascii() else item
