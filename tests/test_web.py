"""The page in a browser, without one: what its script would send and get, over real sockets."""

import hashlib
import json
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

import cv2
import httpx
import numpy as np
import pytest
import tiny_models
from web_visitor import Visitor, frame, until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from edgegan.cli import main
from edgegan.runtime.controls import Controls
from edgegan.runtime.editor import Editor
from edgegan.runtime.errors import InputError, MissingExtraError, SinkError
from edgegan.runtime.panel import Look
from edgegan.runtime.provenance import EDITED
from edgegan.runtime.stats import Stats
from edgegan.runtime.views import compose
from edgegan.runtime.web import Limits, Place, WebPage, jpeg
from edgegan.runtime.web.place import reachable

TOKEN = "a-token-that-nobody-guesses"


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """Adds a colour to the whole frame for each attribute that is on."""
    path = tiny_models.write_editor(tmp_path_factory.mktemp("web"), faces=False, alignment=None)
    with Editor.open(path, backend="onnxruntime") as opened:
        yield opened


@pytest.fixture
def opened():
    """Opens pages on free ports and closes them: opened(editor=None, limits=None, mark=True, **place) -> page."""
    pages = []

    def open_page(editor=None, *, limits=None, mark=True, **place):
        controls = Controls(tiny_models.NAMES, tiny_models.GROUPS)
        page = WebPage(
            controls,
            Stats(),
            {"model": "tiny"},
            place=Place(port=0, **place),
            open_editor=editor.another if editor else None,
            limits=limits,
            mark=mark,
        )
        page.controls, page.stats = controls, page._broadcast._record.__self__
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def show(page, number=0, value=90, before=None):
    """Writes one frame once somebody watches."""
    assert until(lambda: page._broadcast.watchers)
    page.write(frame(number, value), before)


def up(image):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def far(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean()


# The device's stream


def test_the_picture_arrives_as_every_sink_shows_it(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        show(page, 7, before=frame(value=20).image_bgr)
        about, picture = visitor.picture()
        assert (about["number"], about["view"], about["camera"]) == (7, "after", "device")
        assert 0 <= about["age_ms"] < 1000
        wanted = compose(frame().image_bgr, None, Look(), EDITED.mark)
        assert far(picture, wanted) < 4 < far(picture, compose(frame().image_bgr, None, Look())) + 3.5


def test_views_are_each_visitors_own(opened):
    page = opened(mark=False)
    after, before = frame(value=160).image_bgr, frame(value=20).image_bgr
    with Visitor.at(page) as one, Visitor.at(page) as two:
        two.say("view", name="both")
        two.say("press", name="?")
        assert until(lambda: "both" in {v.view for v in page.visitors._here.values()})
        assert until(lambda: page._broadcast.watchers == 2)
        page.write(frame(1, 160), before)
        assert far(one.picture()[1], after) < 3
        assert far(two.picture()[1], np.hstack([before, after])) < 3
        one.say("view", name="before")
        assert until(lambda: "before" in {v.view for v in page.visitors._here.values()})
        page.write(frame(2, 160), before)
        assert far(one.picture()[1], before) < 3


def test_a_frame_is_encoded_once_for_all_who_want_it(opened):
    page = opened()
    with Visitor.at(page) as one, Visitor.at(page) as two:
        assert until(lambda: page._broadcast.watchers == 2)
        for number in range(5):
            page.write(frame(number))
            assert one.picture()[0]["number"] == two.picture()[0]["number"] == number
    assert len(page.stats._stages["encode"]) == 5


def test_without_visitors_nothing_is_kept_or_encoded(opened):
    page = opened()
    page.write(frame())
    with Visitor.at(page):
        show(page)
        assert until(lambda: page._broadcast._newest is not None)
    assert until(lambda: not page._broadcast.watchers)
    assert page._broadcast._newest is None
    page.write(frame(1))
    time.sleep(0.05)
    assert page._broadcast._newest is None


def test_a_slow_visitor_delays_nobody_and_then_gets_the_newest(opened):
    page = opened()
    with Visitor.at(page) as slow, Visitor.at(page) as fast:
        assert until(lambda: page._broadcast.watchers == 2)
        seen, ages, began = [], [], time.monotonic()
        for number in range(40):
            page.write(frame(number))
            about, _ = fast.picture()
            seen.append(about["number"])
            ages.append(about["age_ms"])
        took = time.monotonic() - began
        assert seen == list(range(40))
        assert took < 4.0 and np.median(ages) < 50
        first, second = (slow.picture(answer=False)[0]["number"] for _ in range(2))
        assert second <= 5  # two were on the way, and no more
        with pytest.raises(TimeoutError):
            slow.picture(timeout=0.2)
        slow.say("shown")
        assert slow.picture(answer=False)[0]["number"] == 39
        assert first == 0


def test_writing_costs_the_stream_nothing(opened):
    page = opened()
    with Visitor.at(page), Visitor.at(page):
        assert until(lambda: page._broadcast.watchers == 2)
        big = frame(hw=(1080, 1920))
        times = []
        for _ in range(30):
            began = time.perf_counter()
            page.write(big)
            times.append(time.perf_counter() - began)
        assert np.median(times) < 0.002


# Controls


def test_visitors_and_keys_move_the_same_controls_and_see_each_other(opened):
    page = opened()
    with Visitor.at(page) as one, Visitor.at(page) as two:
        one.say("set", name="Smiling", value=0.7)
        two.state("Smiling", lambda value: value == 0.7)
        assert page.controls.changes == {"Smiling": 0.7}
        page.controls.press("1")
        two.state("Blond_Hair", lambda value: value == 1.0)
        two.say("set", name="Brown_Hair", value=1.0)  # of the same exclusive group
        one.state("Blond_Hair", lambda value: value is None)
        two.say("set", name="Smiling", value=None)
        one.state("Smiling", lambda value: value is None)
        two.state("Brown_Hair", lambda value: value == 1.0)
        one.say("reset")
        two.state("Brown_Hair", lambda value: value is None)
        assert page.controls.changes == {}


def test_a_wish_that_cannot_be_met_is_answered_and_the_visitor_stays(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        visitor.say("set", name="Smiling", value=9)
        assert "Smiling=9" in visitor.wait("state", lambda state: state["message"])["message"]
        visitor.say("set", name="Nothing", value=1)
        visitor.wait("state", lambda state: "Nothing" in state["message"])
        visitor.say("press", name="q")
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        assert not page.controls.stopped


def test_the_figures_are_those_of_the_stream(opened):
    page = opened()
    for _ in range(5):
        page.stats.frame_read()
        page.stats.frame_shown(time.monotonic() - 0.1)
    page.stats.record("network", 0.025)
    page.stats.frames_dropped("model_busy", 3)
    with Visitor.at(page) as visitor:
        figures = visitor.wait("figures")
    assert figures["model"] == "tiny"
    assert figures["stages"] == {"network": 25.0}
    assert figures["dropped"] == {"model_busy": 3}
    assert 95 <= figures["age_ms"] < 200
    assert figures["visitors"] == 1


def test_a_snapshot_is_the_whole_picture_and_tells_its_origin(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        name = visitor.wait("hello")["visitor"]
        show(page)
        visitor.picture()
        reply = httpx.get(f"{page.url}snapshot.png", params={"visitor": name})
        picture = cv2.imdecode(np.frombuffer(reply.content, np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(picture, compose(frame().image_bgr, None, Look(), EDITED.mark))
        assert EDITED.source_type.encode() in reply.content
    assert until(lambda: not len(page.visitors))
    assert httpx.get(f"{page.url}snapshot.png", params={"visitor": name}).status_code == 404


# Visitors' own cameras


def test_own_pictures_come_back_edited_by_own_settings(opened, editor):
    page = opened(editor, mark=False)
    image = frame(value=60).image_bgr
    with Visitor.at(page) as visitor, Visitor.at(page) as other:
        visitor.say("set", name="Smiling", value=1)
        visitor.state("Smiling", lambda value: value == 1.0)
        visitor.say("camera", name="own")
        assert visitor.wait("camera")["name"] == "own"
        visitor.say("mirror", value=0)
        visitor.wait("state", lambda state: not state["look"]["mirror"])
        visitor.socket.send(up(image))
        visitor.socket.send(up(image))
        about, picture = visitor.picture()
        assert about["camera"] == visitor.picture()[0]["camera"] == "own"
        assert far(picture, editor.edit(image, {"Smiling": 1.0})) < 3
        visitor.say("set", name="Smiling", value=0)
        visitor.state("Smiling", lambda value: value == 0.0)
        visitor.socket.send(up(image))
        visitor.picture()
        time.sleep(0.3)  # changes come in smoothly
        visitor.socket.send(up(image))
        settled = visitor.picture()[1]
        assert far(settled, editor.edit(image, {"Smiling": 0.0})) < 3 < far(settled, picture)
        assert page.controls.changes == {"Smiling": 1.0}
        other.state("Smiling", lambda value: value == 1.0)
        visitor.say("camera", name="device")
        visitor.state("Smiling", lambda value: value == 1.0)
        show(page, 3)
        assert visitor.picture()[0]["number"] == 3


def test_a_mirrored_picture_keeps_its_mark_readable(opened, editor):
    page = opened(editor)
    image = frame(value=60).image_bgr
    with Visitor.at(page) as visitor:
        visitor.say("camera", name="own")
        visitor.wait("camera")
        visitor.say("view", name="after")
        visitor.socket.send(up(image))
        wanted = compose(editor.edit(image, {}), image, Look(mirror=True), EDITED.mark)
        assert far(visitor.picture()[1], wanted) < 5


def test_a_closed_tab_frees_all_that_was_its_own(opened, editor):
    page = opened(editor)
    visitor = Visitor.at(page)
    visitor.say("camera", name="own")
    visitor.wait("camera")
    visitor.socket.send(up(frame().image_bgr))
    visitor.picture()
    (inside,) = page.visitors._here.values()
    guest = inside.guest
    visitor.socket.socket.shutdown(socket.SHUT_RDWR)  # as when a phone goes out of reach
    assert until(lambda: not len(page.visitors))
    assert guest.newest is None and inside.guest is None
    with pytest.raises(InputError, match="closed"):
        guest._editor.edit(frame().image_bgr, {})
    editor.edit(frame().image_bgr, {})  # the models are still there


def test_visitors_pictures_do_not_hold_up_the_stream(opened, editor):
    page = opened(editor)
    with Visitor.at(page) as watcher:
        guests = [Visitor.at(page) for _ in range(4)]
        for guest in guests:
            guest.say("camera", name="own")
            guest.wait("camera")
        with editor._lock:  # the model is busy for long
            for guest in guests:
                guest.socket.send(up(frame().image_bgr))
            time.sleep(0.1)
            for number in range(5):
                show(page, number)
                assert watcher.picture(timeout=2)[0]["number"] == number
        for guest in guests:
            assert guest.picture()[0]["camera"] == "own"
            guest.close()


def test_generators_take_no_camera(opened):
    page = opened()
    with Visitor.at(page) as visitor:
        assert visitor.wait("hello")["own_camera"] is False
        visitor.say("camera", name="own")
        assert visitor.wait("camera")["name"] == "device"
        show(page)
        visitor.picture()


# Limits


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (b"no picture", "no JPEG"),
        (up(np.zeros((300, 300, 3), np.uint8)), "300x300"),
        (struct.pack(">HHHBHHB", 0xFFD8, 0xFFC0, 17, 8, 60000, 60000, 3) + bytes(20), "60000x60000"),
        (up(np.zeros((64, 64, 3), np.uint8))[:60], "no JPEG"),
        ("{", "cannot be read"),
        ('{"type": "set", "unknown": 1}', "cannot be read"),
    ],
)
def test_what_breaks_the_rules_ends_the_visit_in_words(opened, editor, what, words):
    page = opened(editor, limits=Limits(frame_pixels=200 * 200))
    with Visitor.at(page) as visitor:
        visitor.say("camera", name="own")
        visitor.wait("camera")
        visitor.socket.send(what)
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                visitor.picture()
        assert ended.value.rcvd.code == 1008
        assert words in ended.value.rcvd.reason
    assert until(lambda: not len(page.visitors))


def test_a_message_that_is_too_long_is_not_even_read(opened, editor):
    page = opened(editor, limits=Limits(frame_bytes=10_000))
    with Visitor.at(page) as visitor:
        visitor.socket.send(bytes(20_000))
        with pytest.raises(ConnectionClosed) as ended:
            visitor.wait("nothing")
        assert ended.value.rcvd.code == 1009


def test_too_many_messages_end_the_visit(opened):
    page = opened(limits=Limits(messages_per_s=10, burst=20))
    with Visitor.at(page) as visitor, pytest.raises(ConnectionClosed) as ended:
        for _ in range(100):
            visitor.say("shown")
        visitor.wait("nothing")
    assert "too many messages" in ended.value.rcvd.reason


def test_too_many_visitors_are_asked_to_come_later(opened):
    page = opened(limits=Limits(visitors=1))
    with Visitor.at(page) as one:
        one.wait("hello")
        with Visitor.at(page) as two, pytest.raises(ConnectionClosed) as ended:
            two.wait("hello")
        assert ended.value.rcvd.code == 1013 and "1 visitors" in ended.value.rcvd.reason
    assert until(lambda: not len(page.visitors))
    with Visitor.at(page) as three:
        three.wait("hello")


def test_offers_that_make_no_sense_are_refused(opened, editor):
    page = opened(editor)
    with Visitor.at(page) as visitor:
        name = visitor.wait("hello")["visitor"]

        def post(body):
            return httpx.post(f"{page.url}offer", content=body)

        assert post(b"x" * 70_000).status_code == 413
        assert post(b"{}").status_code == 400
        assert post(json.dumps({"visitor": "nobody", "sdp": "v=0"})).status_code == 404
        assert post(json.dumps({"visitor": name, "sdp": "v=0"})).status_code == 404  # it shows no camera
        visitor.say("camera", name="own")
        visitor.wait("camera")
        assert post(json.dumps({"visitor": name, "sdp": "nonsense"})).status_code == 400
        visitor.socket.send(up(frame().image_bgr))
        visitor.picture()


# Who may come in


def refused(page, **how):
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
    assert refused(page) and refused(page, token="wrong" + TOKEN[5:])
    assert not len(page.visitors)


def test_the_token_becomes_a_cookie(opened):
    page = opened(token=TOKEN)
    with httpx.Client() as browser:
        first = browser.get(page.url)
        assert (first.status_code, first.headers["location"]) == (303, "/")
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
    assert refused(page, headers={"Origin": "https://evil.example"})
    assert refused(page, headers={"Origin": own.replace("http", "https")})
    assert refused(page, headers={"Origin": "null"})
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
    one, two = Place(host).with_token(), Place(host).with_token()
    assert one and two and one != two and len(one) >= 32
    assert Place("127.0.0.1").with_token() is Place("::1").with_token() is Place("localhost").with_token() is None


@pytest.mark.parametrize("token", ["short", "with spaces in it all over", "x" * 200])
def test_a_token_that_keeps_nobody_out_is_refused(token):
    with pytest.raises(InputError, match="16 to 128"):
        Place(token=token).with_token()


def test_every_answer_forbids_what_the_page_does_not_need(opened):
    page = opened()
    for path in ("", "page.js", "page.css", "icon.svg", "nothing"):
        headers = httpx.get(page.url + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert httpx.get(f"{page.url}nothing").status_code == httpx.get(f"{page.url}../server.py").status_code == 404


# Serving


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
            Place(port=0, tls=tls).check()


def test_a_port_in_use_is_said(opened):
    port = int(opened().url.rpartition(":")[2].rstrip("/"))
    with pytest.raises(SinkError, match=f"port {port} of 127.0.0.1 is in use"):
        WebPage(Controls(), Stats(), {}, place=Place(port=port))
    with pytest.raises(SinkError, match="not an address of this machine"):
        Place("192.0.2.77", 0).check()


@pytest.mark.parametrize("module", ["starlette.applications", "uvicorn", "websockets"])
def test_a_missing_extra_is_named(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"edgegan\[web\]"):
        WebPage(Controls(), Stats(), {}, place=Place(port=0))


def test_it_closes_within_two_seconds_whoever_is_there(opened, editor):
    page = opened(editor)
    visitors = [Visitor.at(page) for _ in range(3)]
    visitors[0].say("camera", name="own")
    visitors[0].wait("camera")
    began = time.monotonic()
    page.close()
    page.close()
    assert time.monotonic() - began < 2
    assert not any(t.name == "edgegan-web" for t in threading.enumerate())
    for visitor in visitors:
        with pytest.raises(ConnectionClosed):
            while True:
                visitor.picture()
    page.write(frame())  # a frame that comes late does no harm


def test_a_head_tells_the_size_of_a_jpeg():
    for quality, hw in ((5, (1, 1)), (95, (33, 1000)), (50, (720, 1280))):
        image = np.zeros((*hw, 3), np.uint8)
        assert jpeg.size_hw(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()) == hw
        progressive = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
        assert jpeg.size_hw(progressive) == hw
    with pytest.raises(InputError):
        jpeg.size_hw(cv2.imencode(".png", image)[1].tobytes())


def test_where_others_find_a_place():
    assert reachable("127.0.0.1") == "127.0.0.1"
    assert reachable("0.0.0.0") not in ("0.0.0.0", "")


# The command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "99"], "without --web"),
        (["--web", "--port", "{busy}"], "in use"),
        (["--web", "--tls", "none.pem"], "there is no file none.pem"),
        (["--web", "--token", "short"], "16 to 128"),
        (["--web", "--host", "no.such.name.invalid"], "there is no address"),
    ],
)
def test_options_that_cannot_be_are_said_in_words(options, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["live", *(option.format(busy=taken.getsockname()[1]) for option in options)])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_ctrl_c_ends_the_command_within_two_seconds(tmp_path):
    model = tiny_models.write_editor(tmp_path / "model", faces=False, alignment=None)
    command = [sys.executable, "-u", "-m", "edgegan", "live", str(model), "--web", "--port", "0"]
    command += ["--source", "synthetic:96x64@30", "--set", "Smiling=1"]
    env = {"XDG_CONFIG_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=".", env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            url = next(line.split()[1] for line in run.stdout if line.startswith("page:"))

            class Page:
                pass

            page = Page()
            page.url = url
            with Visitor.at(page) as visitor:
                visitor.picture(timeout=20)
                visitor.state("Smiling", lambda value: value == 1.0)
                began = time.monotonic()
                run.send_signal(signal.SIGINT)
                out, err = run.communicate(timeout=20)
        finally:
            run.kill()
    assert time.monotonic() - began < 2.5
    assert run.returncode == 130, err
    assert "frames read" in out and "Traceback" not in err
