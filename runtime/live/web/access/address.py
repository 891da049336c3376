"""Where the page is served, and the secret that opens it."""

from __future__ import annotations

import errno
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass

from ....errors import InputError, SinkError
from . import certificate

LOOPBACK = ("127.0.0.0/8", "::1")
_TOKEN = re.compile(r"[A-Za-z0-9_\-]{16,128}")


@dataclass(frozen=True)
class Address:
    """An address to serve at. `port` 0 takes any free one; `tls` is None for none, else see `certificate.context`.

    Whoever can reach a loopback address is on this machine already; any other address needs a token, and
    `with_token` makes one. `proxies` are the addresses and networks whose word on the page's own scheme and host is
    believed.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    tls: str | None = None
    token: str | None = None
    proxies: tuple[str, ...] = LOOPBACK

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def with_token(self) -> str | None:
        """The token that visitors need: the given one, a new one where one is needed, else None.

        Raises InputError for a token that is too short to keep anyone out, or cannot stand in a URL.
        """
        if self.token is None:
            return None if self.loopback else secrets.token_urlsafe(24)
        if not _TOKEN.fullmatch(self.token):
            raise InputError(
                "the token given cannot be used",
                "16 to 128 letters, digits, - and _",
                "leave --token out, and one is made",
            )
        return self.token

    def check(self) -> None:
        """Raises what opening a page here would raise."""
        self.with_token()
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy, strict=False)
            except ValueError:
                raise InputError(f"--proxy {proxy} cannot be read", "an address, or a network as 10.0.0.0/8") from None
        if self.tls is not None:
            certificate.context(self.tls, reachable(self.host))
        self.listen().close()

    def listen(self) -> socket.socket:
        """A socket that is bound and listens. Raises SinkError if it cannot be."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except (OSError, UnicodeError):
            raise SinkError(f"there is no address {self.host}", todo="as in: --host 127.0.0.1") from None
        family, kind, _, _, address = found[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(128)
        except OSError as error:
            listener.close()
            raise self._refusal(error) from None
        listener.setblocking(False)
        return listener

    def _refusal(self, error: OSError) -> SinkError:
        where = f"port {self.port} of {self.host}"
        if error.errno == errno.EADDRINUSE:
            return SinkError(f"{where} is in use by another program", todo=f"take another: --port {self.port + 1}")
        if error.errno == errno.EACCES:
            return SinkError(f"you may not open {where}", "a port from 1024 on", "as in: --port 8080")
        if error.errno == errno.EADDRNOTAVAIL:
            return SinkError(
                f"{self.host} is not an address of this machine", todo="for every address it has: --host 0.0.0.0"
            )
        return SinkError(f"{where} cannot be opened: {error.strerror or error}")


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def url_host(host: str) -> str:
    """`host` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host.strip('[]').replace('%', '%25')}]" if ":" in host else host


def reachable(host: str) -> str:
    """Where others find `host`: for "every address", this machine's own one where it is known."""
    if host not in ("0.0.0.0", "::", ""):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which way packets would leave
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
