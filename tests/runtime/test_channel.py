"""The channel between threads: what it gives up, what it serves, when it ends."""

import threading

import pytest

from edgegan.runtime.channel import Channel, ChannelClosed


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_a_full_channel_gives_up_its_oldest_or_waits():
    newest = Channel(2, newest_wins=True)
    assert [newest.put(i) for i in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert (newest.get(), newest.get()) == (3, 4)
    waiting = Channel(1, newest_wins=False)
    waiting.put(1)
    writer = threading.Thread(target=waiting.put, args=(2,))
    writer.start()
    assert (waiting.get(), waiting.get()) == (1, 2)
    writer.join()
    with pytest.raises(TimeoutError):
        waiting.get(0.01)


def test_a_channel_serves_what_waits_before_it_ends_and_nothing_after_an_abort():
    channel = Channel(3, newest_wins=False)
    channel.put(1)
    channel.finish(ValueError("the end"))
    assert channel.get() == 1
    with pytest.raises(ValueError, match="the end"):
        channel.get()
    channel = Channel(3, newest_wins=False)
    channel.put(1)
    channel.put(2)
    assert channel.abort() == 2
    for use in (channel.get, lambda: channel.put(3)):
        with pytest.raises(ChannelClosed):
            use()
