"""STUN and TURN servers: read from the command line, given to the page and to aiortc."""

import pytest
from support.web.page import up
from support.web.visitor import Visitor, frame

from edgegan.cli import main
from edgegan.runtime.errors import InputError
from edgegan.runtime.live.web import IceServer, ice_server
from edgegan.runtime.live.web.peer import Peer

TURN = IceServer("turn:turn.example.org:3478", "kiosk", "pass:word")


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun:stun.example.org", IceServer("stun:stun.example.org")),
        ("stun:[2001:db8::1]:3478", IceServer("stun:[2001:db8::1]:3478")),
        ("turn:kiosk:pass%3Aword@turn.example.org:3478", TURN),
        ("turns:a:b@192.0.2.1:443?transport=tcp", IceServer("turns:192.0.2.1:443?transport=tcp", "a", "b")),
    ],
)
def test_servers_are_read(text, server):
    assert ice_server(text) == server


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "http://example.org", "turn:example.org", "stun:a:b@example.org", "stun:a?transport=udp"],
)
def test_what_names_no_server_is_said_in_words(text):
    with pytest.raises(InputError, match="cannot be read\nstun:HOST"):
        ice_server(text)


def test_a_password_is_in_no_message():
    with pytest.raises(InputError) as told:
        ice_server("turn:kiosk:hunter2@example.org/wrong")
    assert "hunter2" not in str(told.value) and "kiosk:...@" in str(told.value)
    for password in ("hunter2@", "x@hunter2", "x:hunter2", "x/hunter2", "x@hunter2:y@z"):
        with pytest.raises(InputError) as told:
            ice_server(f"turn:kiosk:{password}@example.org/wrong")
        assert "hunter2" not in str(told.value)


def test_the_page_and_aiortc_get_the_same_servers(opened, page_editor):
    pytest.importorskip("aiortc")
    from aiortc.rtcicetransport import connection_kwargs

    servers = (IceServer("stun:192.0.2.1:3478"), TURN)
    page = opened(page_editor, ice=servers)
    with Visitor.at(page) as visitor:
        told = visitor.wait("hello")["ice"]
        assert told == [
            {"urls": "stun:192.0.2.1:3478"},
            {"urls": "turn:turn.example.org:3478", "username": "kiosk", "credential": "pass:word"},
        ]
        configured = connection_kwargs(Peer.servers(servers))
        assert configured["stun_server"] == ("192.0.2.1", 3478)
        assert configured["turn_server"] == ("turn.example.org", 3478)
        assert (configured["turn_username"], configured["turn_password"]) == ("kiosk", "pass:word")


def test_no_server_is_asked_unless_one_is_given(opened, page_editor):
    pytest.importorskip("aiortc")
    page = opened(page_editor)
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["ice"] == []
        visitor.say("camera", name="own")
        visitor.wait("camera")
        visitor.socket.send(up(frame().image_bgr))
        visitor.picture()
    assert Peer.servers(()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ice", "stun:example.org"], "without --web"),
        (["--web", "--port", "0", "--ice", "example.org"], "--ice example.org cannot be read"),
    ],
)
def test_the_option_is_refused_in_words(options, words, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["live", *options])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
