"""Before the door: no header that anyone can send gives an error, and a proxy's page is let in."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.web.visitor import Visitor
from websockets.exceptions import InvalidStatus

from edgegan.runtime.errors import InputError
from edgegan.runtime.live.web import Address
from edgegan.runtime.live.web.access.address import url_host
from edgegan.runtime.live.web.access.guard import Guard
from edgegan.runtime.live.web.access.proxies import Door, host_name

TOKEN = "a-token-that-nobody-guesses"
LOCAL = ("127.0.0.1", 50000)
_NAMES = ["host", "origin", "cookie", "forwarded", "x-forwarded-host", "x-forwarded-proto", "authorization", "via"]
_VALUES = st.one_of(
    st.sampled_from(["[", "[::1", "[::1]:99999", "http://[", "null", "//", "a" * 5000, "localhost:x", "%", "\0", "::"]),
    st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
)


def answer(guard, kind, headers, query=b"", client=LOCAL):
    """The status of an answer; 0 for one that the application would give, and what it was called with."""
    got = []

    async def go():
        scope = {"type": kind, "path": "/", "query_string": query, "client": client,
                 "headers": [(n.encode(), v.encode("latin-1")) for n, v in headers.items()]}  # fmt: skip

        async def receive():
            return {"type": f"{kind}.connect"}

        async def send(message):
            got.append(message)

        await guard(scope, receive, send)

    asyncio.run(go())
    first = got[0] if got else {"status": 0}
    return 403 if first.get("type") == "websocket.close" else first["status"]


async def _inside(scope, receive, send):
    del scope, receive, send


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(st.sampled_from(_NAMES), _VALUES),
    st.binary(max_size=40),
    st.sampled_from(["http", "websocket"]),
    st.sampled_from([LOCAL, ("::1", 1), ("fe80::1%eth0", 1), ("10.1.2.3", 4), ("", 0), None]),
)
def test_nothing_that_can_be_sent_gets_past_the_door_or_breaks_it(headers, query, kind, client):
    assert answer(Guard(_inside, TOKEN, 8080, tls=False), kind, headers, query, client) == 403
    if host_name(headers.get("host", "")) not in ("localhost", "::1"):
        assert answer(Guard(_inside, None, 8080, tls=False), kind, headers, query, client) == 403


@pytest.mark.parametrize("header", ["Host: [", "Host: [::1", "Origin: http://[", "Origin: [", "Cookie: a=\x01;;="])
def test_a_running_page_answers_403_to_a_bad_header_and_says_nothing(opened, header, capfd):
    import socket

    page = opened(token=TOKEN)
    port = int(page.url.partition("?")[0].rpartition(":")[2].rstrip("/"))
    with socket.create_connection(("127.0.0.1", port)) as line:
        own = "" if header.startswith("Host") else "Host: localhost\r\n"
        line.sendall(f"GET / HTTP/1.1\r\n{own}{header}\r\nConnection: close\r\n\r\n".encode("latin-1"))
        assert line.recv(4096).split(b" ")[1] in (b"403", b"400")
    assert "Traceback" not in "".join(capfd.readouterr())


PROXIED = {"x-forwarded-proto": "https", "x-forwarded-host": "kiosk.example"}


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8080", **PROXIED},
        {"host": "kiosk.example", "x-forwarded-proto": "https"},
        {"host": "127.0.0.1:8080", "forwarded": 'for=192.0.2.1;proto=https;host="kiosk.example:443"'},
        {"host": "127.0.0.1:8080", "x-forwarded-proto": "https, http", "x-forwarded-host": "kiosk.example, inner"},
    ],
)
def test_a_trusted_proxys_name_and_scheme_are_the_pages_own(headers):
    guard, origin = Guard(_inside, TOKEN, 8080, tls=False), {"origin": "https://kiosk.example"}
    query = f"token={TOKEN}".encode()
    assert answer(guard, "websocket", headers | origin, query) == 0
    assert answer(guard, "websocket", headers | origin, query, ("192.0.2.9", 1)) == 403
    wide = Guard(_inside, TOKEN, 8080, tls=False, proxies=("192.0.2.0/24",))
    assert answer(wide, "websocket", headers | origin, query, ("::ffff:192.0.2.9", 1)) == 0
    assert answer(guard, "websocket", headers | {"origin": "https://evil.example"}, query) == 403


def test_a_rebound_name_is_not_let_in_by_headers_that_its_own_page_can_send():
    guard = Guard(_inside, None, 8080, tls=False)
    rebound = {"host": "evil.example:8080", "origin": "http://evil.example:8080", "x-forwarded-host": "localhost"}
    assert answer(guard, "http", rebound) == 403


def test_a_websocket_through_a_proxy_with_tls_is_let_in(opened):
    page = opened(token=TOKEN)
    with Visitor.at(page, token=TOKEN, headers={"Origin": "https://kiosk.example", **PROXIED}) as visitor:
        visitor.wait("hello")
    with pytest.raises(InvalidStatus):
        Visitor.at(page, token=TOKEN, headers={"Origin": "https://other.example", **PROXIED})


def test_default_ports_and_brackets():
    door = Door.of({"host": "[::1]"}, LOCAL, (), tls=True)
    assert door.is_own("https://[::1]:443") and door.is_own("https://[::1]") and not door.is_own("http://[::1]")
    assert (url_host("::1"), url_host("[::1]"), url_host("fe80::1%eth0"), url_host("10.0.0.1")) == (
        "[::1]", "[::1]", "[fe80::1%25eth0]", "10.0.0.1",
    )  # fmt: skip


def test_a_printed_address_of_ipv6_has_brackets(opened):
    assert opened(host="::1").url.startswith("http://[::1]:")


def test_a_proxy_that_is_no_address_is_refused():
    with pytest.raises(InputError, match="--proxy"):
        Address(port=0, proxies=("proxy.example",)).check()
