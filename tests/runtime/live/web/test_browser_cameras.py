"""Visitors' own cameras in a browser: by WebSocket, by WebRTC, and through a relay."""

import shutil
import socket
import subprocess

import pytest
from support.web.browser import PHONE, drag, frames, mean
from support.web.visitor import until

from edgegan.runtime.live.web import ice_server

RELAYED = """{
    const Direct = RTCPeerConnection;
    let last = null;
    window.RTCPeerConnection = function (how) { return (last = new Direct({ ...how, iceTransportPolicy: "relay" })); };
    window.pairs = async () => {  // the kinds of our ends of the ways that carry data
        const stats = [...(await last.getStats()).values()], byId = new Map(stats.map((each) => [each.id, each]));
        return stats.filter((each) => each.type === "candidate-pair" && each.nominated)
            .map((each) => byId.get(each.localCandidateId).candidateType);
    };
}"""


@pytest.mark.parametrize("road", ["WebSocket", "WebRTC"])
def test_a_visitors_own_camera_comes_back_edited(tab, live, road, monkeypatch):
    import aioice.ice

    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    page, other = tab(), tab(PHONE)
    page.get_by_text("Mine").click()
    page.locator("#mine").wait_for(state="visible", timeout=5000)
    if road == "WebRTC":
        page.get_by_text("WebRTC", exact=True).click()

    def own_size():  # the fake camera's, not the stream's
        return page.evaluate("() => document.getElementById('picture').width") > 256

    assert until(own_size, 15.0)
    if road == "WebRTC":
        assert until(lambda: any(v.peer is not None for v in live.visitors._here.values()))
        assert until(lambda: page.evaluate("() => document.getElementById('answer-picture').videoWidth") > 0)
    start = frames(page)
    assert until(lambda: frames(page) > start + 5, 15.0)
    before = mean(page)
    drag(page, "Blond_Hair", 1.0)
    assert until(lambda: (mean(page) - before)[:2].min() > 8, 10.0), mean(page) - before
    assert live.controls.changes == {}
    assert other.locator(".row[data-name=Blond_Hair] .chip").inner_text() == "as is"
    guests = [v.guest for v in live.visitors._here.values() if v.guest is not None]
    page.get_by_text("The device's").click()
    assert until(lambda: page.evaluate("() => document.getElementById('picture').width") == 256)
    assert len(guests) == 1 and until(lambda: guests[0].newest is None)
    assert all(v.peer is None for v in live.visitors._here.values())


@pytest.fixture
def turn_server(tmp_path):
    """A real TURN server on loopback -> its URL for --ice."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("a WebRTC connection through a relay needs turnserver (Debian: apt-get install coturn)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--allow-loopback-peers"]
    command += ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--realm=test"]
    command += [
        "--user=kiosk:secret",
        f"--pidfile={tmp_path / 'pid'}",
        f"--userdb={tmp_path / 'db'}",
        "--log-file=stdout",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield f"turn:kiosk:secret@127.0.0.1:{port}"
        finally:
            running.terminate()


def test_a_relay_carries_the_camera_where_there_is_no_direct_way(tab, live, turn_server, monkeypatch):
    import aioice.ice

    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])
    monkeypatch.setattr(live.visitors, "ice", (ice_server(turn_server),))
    page = tab(before=RELAYED)
    page.get_by_text("Mine").click()
    page.locator("#mine").wait_for(state="visible", timeout=5000)
    page.get_by_text("WebRTC", exact=True).click()
    assert until(lambda: page.evaluate("() => document.getElementById('answer-picture').videoWidth") > 256, 15.0)
    start = frames(page)
    assert until(lambda: frames(page) > start + 5, 15.0)
    ways = page.evaluate("() => pairs()")
    assert ways and set(ways) == {"relay"}
