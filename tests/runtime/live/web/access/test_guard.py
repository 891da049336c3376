"""Who may come in, and where the page is served: tokens, origins, names, TLS, ports."""

import hashlib
import ssl
import sys

import httpx
import pytest
from support.web.visitor import Visitor
from websockets.exceptions import InvalidStatus

from edgegan.runtime.errors import InputError, MissingExtraError, SinkError
from edgegan.runtime.live.controls.attributes import Controls
from edgegan.runtime.live.web import Address, WebPage
from edgegan.runtime.live.web.access.address import reachable
from edgegan.runtime.metrics.live import LiveTally

TOKEN = "a-token-that-nobody-guesses"


def is_refused(page, **how):
    with pytest.raises(InvalidStatus) as answer:
        Visitor.at(page, **how)
    return answer.value.response.status_code == 403


def test_without_the_token_nothing_opens(opened):
    page = opened(token=TOKEN)
    base = page.url.partition("?")[0]
    assert page.url == f"{base}?token={TOKEN}"
    for path in ("", "page.js", "snapshot.png", "?token=wrong", "?token="):
        assert httpx.get(base + path).status_code == 403
    assert httpx.post(f"{base}offer", content="{}").status_code == 403
    assert httpx.get(base, headers={"cookie": "edgegan=; ;;=token"}).status_code == 403
    assert is_refused(page) and is_refused(page, token="wrong" + TOKEN[5:])
    assert not len(page.visitors)


def test_the_token_becomes_a_cookie(opened):
    page = opened(token=TOKEN)
    with httpx.Client() as browser:
        first = browser.get(page.url)
        assert (first.status_code, first.headers["location"]) == (303, "./")
        kept = first.headers["set-cookie"].lower()
        assert "httponly" in kept and "samesite=lax" in kept
        second = browser.get(page.url.partition("?")[0])
        assert second.status_code == 200 and "<canvas" in second.text
        cookie = "; ".join(f"{c.name}={c.value}" for c in browser.cookies.jar)
    with Visitor.at(page, headers={"Cookie": cookie}) as visitor:
        visitor.wait("hello")
    with Visitor.at(page, token=TOKEN) as visitor:
        visitor.wait("hello")


def test_other_sites_pages_may_not_speak_to_it(opened):
    page = opened()
    own = page.url.rstrip("/")
    assert is_refused(page, headers={"Origin": "https://evil.example"})
    assert is_refused(page, headers={"Origin": own.replace("http", "https")})
    assert is_refused(page, headers={"Origin": "null"})
    assert httpx.post(f"{own}/offer", content="{}", headers={"Origin": "https://evil.example"}).status_code == 403
    with Visitor.at(page, headers={"Origin": own}) as visitor:
        visitor.wait("hello")


def test_a_name_that_was_made_to_point_here_is_not_ours(opened):
    page = opened()
    port = page.url.rpartition(":")[2].rstrip("/")
    for name, code in (("evil.example", 403), ("evil.example:" + port, 403), ("", 403), (f"localhost:{port}", 200)):
        assert httpx.get(page.url, headers={"host": name}).status_code == code, name


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::", "kiosk.local"])
def test_every_address_but_loopback_needs_a_token(host):
    one, two = Address(host).with_token(), Address(host).with_token()
    assert one and two and one != two and len(one) >= 32
    assert Address("127.0.0.1").with_token() is Address("::1").with_token() is Address("localhost").with_token() is None


@pytest.mark.parametrize("token", ["short", "with spaces in it all over", "x" * 200])
def test_a_token_that_keeps_nobody_out_is_refused(token):
    with pytest.raises(InputError, match="16 to 128"):
        Address(token=token).with_token()


def test_every_answer_forbids_what_the_page_does_not_need(opened):
    page = opened()
    for path in ("", "page.js", "page.css", "icon.svg", "nothing"):
        headers = httpx.get(page.url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert httpx.get(f"{page.url}nothing").status_code == httpx.get(f"{page.url}../server.py").status_code == 404


def test_a_certificate_made_here_is_the_one_whose_fingerprint_is_told(opened):
    page = opened(tls="auto")
    port = int(page.url.rpartition(":")[2].rstrip("/"))
    der = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
    assert page.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    trusting = ssl.create_default_context(cadata=der)
    assert httpx.get(page.url, verify=trusting).status_code == 200
    with Visitor.at(page, ssl=trusting, headers={"Origin": page.url.rstrip("/")}) as visitor:
        visitor.wait("hello")


def test_files_that_are_no_certificate_are_refused_in_words(tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    for tls, words in ((str(wrong), "cannot be used for TLS"), (f"{wrong},{tmp_path}/key.pem", "there is no file")):
        with pytest.raises(InputError, match=words):
            Address(port=0, tls=tls).check()


def test_a_port_in_use_is_said(opened):
    port = int(opened().url.rpartition(":")[2].rstrip("/"))
    with pytest.raises(SinkError, match=f"port {port} of 127.0.0.1 is in use"):
        WebPage(Controls(), LiveTally(), {}, address=Address(port=port))
    with pytest.raises(SinkError, match="not an address of this machine"):
        Address("192.0.2.77", 0).check()


@pytest.mark.parametrize("module", ["starlette.applications", "uvicorn", "websockets"])
def test_a_missing_extra_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[web\]"):
        WebPage(Controls(), LiveTally(), {}, address=Address(port=0))


def test_where_others_find_a_place():
    assert reachable("127.0.0.1") == "127.0.0.1"
    assert reachable("0.0.0.0") not in ("0.0.0.0", "")
