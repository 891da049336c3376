"""What a request says of the way it came: under which name, and through which proxy. Believes nobody by default."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_PAIR = re.compile(r"(proto|host)=\"?([^\";,]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Door:
    """The schemes and hosts (with their ports, lower case) under which the page was asked for."""

    schemes: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def of(
        cls, headers: Mapping[str, str], client: tuple[str, int] | None, proxies: tuple[str, ...], *, tls: bool
    ) -> Door:
        """Those of a request. `Forwarded` (RFC 7239) and `X-Forwarded-Proto` and `-Host` count only if it came from
        one of `proxies`: addresses, or networks as 10.0.0.0/8."""
        schemes, hosts = {"https" if tls else "http"}, {headers.get("host", "").lower()}
        if client is not None and _is_among(client[0], proxies):
            told = _PAIR.findall(headers.get("forwarded", ""))
            schemes |= {value.lower() for name, value in told if name.lower() == "proto"}
            hosts |= {value.lower() for name, value in told if name.lower() == "host"}
            schemes |= _values(headers.get("x-forwarded-proto", ""))
            hosts |= _values(headers.get("x-forwarded-host", ""))
        return cls(frozenset(schemes), frozenset(hosts))

    def is_own(self, origin: str | None) -> bool:
        """Whether a page of that Origin is this one's own. None, as programs send it, is."""
        if origin is None:
            return True
        asked = _place(origin)
        own = {_place(f"{scheme}://{host}") for scheme in self.schemes for host in self.hosts}
        return asked is not None and asked in own


def host_name(host: str) -> str:
    """The name or address in a Host header, without port and brackets; "" for what is none."""
    place = _place(f"http://{host}")
    return place[1] if place else ""


def _place(origin: str) -> tuple[str, str, int] | None:
    """(scheme, host, port); None for anything but these three."""
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.scheme not in _PORTS or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return parts.scheme, host, port or _PORTS[parts.scheme]


def _values(header: str) -> set[str]:
    return {value.strip().lower() for value in header.split(",") if value.strip()}


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    plain = getattr(found, "ipv4_mapped", None) or found
    return any(plain in ipaddress.ip_network(network, strict=False) for network in networks)
