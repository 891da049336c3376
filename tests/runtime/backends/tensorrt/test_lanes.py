"""One engine for several users, and two runs under way; on fakes."""

from __future__ import annotations

import pytest
from support.fakes.engines import check_freed, engine, inputs

from edgegan.runtime.backends import OnDevice, Shareable, begin
from edgegan.runtime.backends.contract import Overlapping
from edgegan.runtime.backends.tensorrt import backend as trt
from edgegan.runtime.edit.pool import Lanes
from edgegan.runtime.errors import BackendError


def test_it_keeps_the_contracts(tmp_path, fake):
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        assert isinstance(backend, (Overlapping)) and isinstance(backend, Shareable) and isinstance(backend, OnDevice)


def test_another_runs_the_same_engine_with_a_context_and_a_stream_of_its_own(tmp_path, fake):
    first = trt.TensorRT(engine(tmp_path), device="cuda")
    first.selection = object()
    second = first.another()
    assert fake.module.alive == ["runtime", "engine", "context", "context"] and fake.open.count("stream") == 2
    for value in range(3):
        for backend in (first, second):
            assert (backend.run(inputs(float(value)))["edited"] == value + 0.5).all()
    assert second.selection is first.selection and second.inputs == first.inputs
    first.close()
    assert fake.module.alive[:2] == ["runtime", "engine"], "somebody still uses it"
    with pytest.raises(BackendError, match="closed"):
        first.another()
    assert (second.run(inputs(4.0))["edited"] == 4.5).all()
    third = second.another()
    second.close()
    third.close()
    third.close()
    check_freed(fake)


def test_a_pool_loads_the_engine_once_and_gives_every_thread_its_own_answers(tmp_path, fake):
    found = engine(tmp_path)

    def load():
        backend = trt.TensorRT(found, device="cuda")
        backend.selection = object()
        return backend

    lanes, wrong = Lanes(load, 3), []
    assert fake.module.alive.count("engine") == 1 and fake.module.alive.count("context") == 3

    def work(number):
        for value in range(6):
            if not (lanes.run(inputs(float(value + number)))["edited"] == value + number + 0.5).all():
                wrong.append((number, value))

    work(0)
    lanes.close()
    assert not wrong
    check_freed(fake)


def test_a_further_user_without_room_for_a_context_leaves_the_others_alone(tmp_path, fake, monkeypatch):
    first = trt.TensorRT(engine(tmp_path), device="cuda")
    first.selection = object()
    made = first._engine.context
    monkeypatch.setattr(first._engine, "context", lambda: (_ for _ in ()).throw(BackendError("no memory left")))
    with pytest.raises(BackendError, match="no memory left"):
        first.another()
    monkeypatch.setattr(first._engine, "context", made)
    assert fake.open.count("stream") == 1
    assert (first.run(inputs(1.0))["edited"] == 1.5).all()
    first.close()
    check_freed(fake)


def test_two_runs_are_under_way_and_each_gives_its_own_answer(tmp_path, fake):
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for ticket in [backend.submit(inputs(float(v))) for v in (0, 1)]:  # the first run of each is waited for
            ticket.result()
        launched = fake.launches
        given = inputs(7.0)
        first = backend.submit(given)
        given["image"][:] = 99.0  # it may be written to at once
        second = backend.submit(inputs(8.0))
        assert fake.launches == launched + 2
        assert sum(map(len, fake.streams.values())) > 0, "somebody waited for them"
        assert (second.result()["edited"] == 8.5).all() and (first.result()["edited"] == 7.5).all()
        assert first.result() is first.result()
        third, fourth, fifth = (backend.submit(inputs(float(v))) for v in (1, 2, 3))
        assert (backend.run(inputs(20.0))["edited"] == 20.5).all()
        assert [float(t.result()["edited"].flat[0]) for t in (fifth, fourth, third)] == [3.5, 2.5, 1.5]
        last = backend.submit(inputs(30.0))
    assert (last.result()["edited"] == 30.5).all()  # closing waited for it
    check_freed(fake)


def test_the_second_is_queued_in_a_stream_of_its_own(tmp_path, fake):
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for value in (0.0, 1.0):
            backend.submit(inputs(value)).result()
        assert fake.open.count("stream") == 2 and fake.module.alive.count("context") == 2
        before = {stream: len(queue) for stream, queue in fake.streams.items()}
        pending = [backend.submit(inputs(value)) for value in (2.0, 3.0)]
        grown = [s for s, queue in fake.streams.items() if len(queue) > before[s]]
        assert len(grown) == 2
        pending[0].result()
        assert sum(bool(queue) for queue in fake.streams.values()) == 1, "the other goes on"


def test_an_error_of_one_run_is_told_to_the_one_who_waits_for_it(tmp_path, fake, monkeypatch):
    with trt.TensorRT(engine(tmp_path), device="cuda") as backend:
        for value in (0.0, 1.0):
            backend.submit(inputs(value)).result()
        bad, good = backend.submit(inputs(1.0)), backend.submit(inputs(2.0))
        monkeypatch.setattr(fake, "cudaEventSynchronize", lambda event: (700,))
        with pytest.raises(BackendError, match="fake error 700"):
            bad.result()
        monkeypatch.undo()
        assert (good.result()["edited"] == 2.5).all()
        with pytest.raises(BackendError, match="fake error 700"):
            bad.result()


@pytest.mark.parametrize("backend_kind", ["overlapping", "plain"])
def test_beginning_serves_every_backend(tmp_path, fake, backend_kind):
    class Plain:
        def __init__(self, real):
            self.run = real.run

    with trt.TensorRT(engine(tmp_path), device="cuda") as real:
        backend = real if backend_kind == "overlapping" else Plain(real)
        pending = [begin(backend, inputs(float(v))) for v in range(2)]
        assert [float(p.result()["edited"].flat[0]) for p in pending] == [0.5, 1.5]
