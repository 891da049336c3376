"""Addresses as they may be shown: no password in any place that cameras take one, and the rest to tell them apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgegan.runtime.redaction import MASK, legible, redact, redact_text


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("rtsp://admin:hunter2@cam.local:554/h264", "rtsp://***@cam.local:554/h264"),
        ("http://cam/video.mjpg?user=admin&pwd=hunter2&res=hd", "http://cam/video.mjpg?user=***&pwd=***&res=hd"),
        ("http://cam/v?p%77d=hunter2", "http://cam/v?p%77d=***"),
        ("http://cam/v;pass=hunter2", "http://cam/***"),
        ("rtsp://cam:554/user=admin_password=hunter2_channel=1_stream=0.sdp", "rtsp://cam:554/***"),
        ("rtsp://admin:hunt@er2@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:hunt/er2@cam/1", "rtsp://***"),
        ("rtsp://admin:hunt?er2@cam/1", "rtsp://***"),
        ("rtsp://admin:1234#5@cam/1", "rtsp://***"),
        ("rtsp://admin:12/hunter2@cam/1", "rtsp://***"),
        ("rtsp://[hunter2", "rtsp://***"),
        ("rtsp://[::1]:8554/a", "rtsp://[::1]:8554/a"),
        ("http://cam/?hunter2hunter2hunter2", "http://cam/?***"),
        ("srt://host:9000?passphrase=hunter2&latency=20", "srt://host:9000?passphrase=***&latency=20"),
        ("http://proxy/get?url=rtsp%3A%2F%2Fa%3Ahunter2%40cam", "http://***"),
        ("https://h/live.m3u8#token=hunter2", "https://h/live.m3u8#***"),
        ("rtsp://cam/user=admin_password=1?hunter2_channel=1", "rtsp://cam/***?***"),
        ("rtsp:/admin:hunter2@cam/1", "rtsp:***"),
        ("rtsp:\\\\admin:hunter2@cam\\1", "rtsp:***"),
        ("rtsp//admin:hunter2@cam/1", "rtsp:***"),
        ("https://h/hls/eyJhbGciOiJIUzI1NiJ9.hunter2.abc/live.m3u8", "https://h/hls/***/live.m3u8"),
        ("https://h/live/0123456789hunter2abcdefgh/1", "https://h/live/***/1"),
        ("rtmp://host/live2/abcd-hunter2-efgh", "rtmp://host/live2/***"),
        ("http://cam/v?psk=hunter2&tok=hunter2&sas=hunter2", "http://cam/v?psk=***&tok=***&sas=***"),
        ("rtsp://cam/h264Preview_01_main", "rtsp://cam/h264Preview_01_main"),
        ("caf\udce9.mp4", "caf?.mp4"),
        ("clips/me@home.mp4", "clips/me@home.mp4"),
        ("file:///home/me/pass=1/a.mp4", "file:///home/me/pass=1/a.mp4"),
        ("gst:rtspsrc location=rtsp://a:hunter2@cam/1 user-pw=hunter2 ! decodebin",
         "gst:rtspsrc location=rtsp://***@cam/1 user-pw=*** ! decodebin"),
        ("0", "0"),
    ],
)  # fmt: skip
def test_an_address_shows_where_it_leads_and_not_what_opens_it(spec, shown):
    assert redact(spec) == shown
    assert "hunter2" not in redact_text(f"cannot open {spec}: refused")


_WORDS = st.text(st.characters(codec="ascii", exclude_characters="*", min_codepoint=33, max_codepoint=126), max_size=12)


@given(before=_WORDS, after=_WORDS, place=st.sampled_from(["userinfo", "query", "path", "name"]))
def test_no_password_of_any_characters_is_ever_shown(before, after, place):
    secret = f"{before}Zq9Zq9{after}"
    spec = {
        "userinfo": f"rtsp://admin:{secret}@cam.local/stream",
        "name": f"rtsp://{secret}:1@cam.local/stream",
        "query": "http://cam.local/v?password=" + secret.replace("&", "").replace(";", ""),
        "path": f"rtsp://cam.local/user=admin_password={secret.replace('/', '')}_channel=1",
    }[place]
    assert "Zq9Zq9" not in redact(spec)


@given(st.text(max_size=60))
def test_any_text_can_be_shown_and_is_shown_alike_the_second_time(text):
    once = redact(text)
    assert redact(once) == once
    assert MASK in once or once == legible(text)
