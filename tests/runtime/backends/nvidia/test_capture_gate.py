"""Work on GPUs and the recording of graphs, one after the other."""

import threading

import pytest

from edgegan.runtime.backends.nvidia.capture_gate import CaptureGate


def start(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def test_work_goes_side_by_side_and_a_recording_alone():
    gate, order = CaptureGate(), []
    inside, leave, recording, done = (threading.Event() for _ in range(4))

    def work():
        with gate.work():
            inside.set()
            leave.wait(10)
            order.append("work")

    def record():
        with gate.capture():
            order.append("recording")
            recording.set()
            done.wait(10)
            order.append("recorded")

    def late():
        with gate.work():
            order.append("late")

    first = start(work)
    assert inside.wait(10)
    with gate.work():  # beside the first
        pass
    second = start(record)
    while not gate._waiting:
        pass
    third = start(late)  # came after the one that waits to record
    leave.set()
    assert recording.wait(10)
    assert order == ["work", "recording"]
    done.set()
    for thread in (first, second, third):
        thread.join(10)
    assert order == ["work", "recording", "recorded", "late"]


def test_a_thread_at_work_may_begin_other_work_and_cannot_record():
    gate = CaptureGate()
    with gate.work(), gate.work(), pytest.raises(RuntimeError, match="cannot wait"), gate.capture():
        pass
    with gate.capture(), gate.work():
        pass


def test_an_error_within_opens_the_gate_again():
    gate = CaptureGate()
    for turn in (gate.capture, gate.work, gate.capture):
        with pytest.raises(KeyError), turn():
            raise KeyError
