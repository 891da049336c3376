"""What an editor counts and times, and that it leaves the process as it was."""

import time

import numpy as np
import pytest
from support import tiny_models
from support.models.editors import SIZE, crop

from edgegan.runtime import Editor
from edgegan.runtime.errors import InputError
from edgegan.runtime.metrics.tally import STAGES


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_models.write_editor(tmp_path_factory.mktemp("m"), size=SIZE)


def test_statistics_count_pictures_and_errors_and_time_every_stage(model, scene):
    with Editor.open(model) as editor:
        assert (editor.statistics.frames, editor.statistics.stages_ms) == (0, {})
        ran = []
        run = editor._pipeline._network.begin
        editor._pipeline._network.begin = lambda inputs: (ran.append(1), run(inputs))[1]
        assert editor.warm_up((60, 80)) > 0 and ran
        assert editor.statistics.frames == 0  # warming up is nobody's picture
        told = {}
        for i in range(6):
            editor.edit(scene, {"Smiling": 1.0}, timestamp=i / 30, record=told.__setitem__)
        editor.edit_batch([scene, scene], {})
        editor.translate(crop(), {})
        with pytest.raises(InputError):
            editor.edit(scene, {"Smile": 1.0})
        seen = editor.statistics
        assert (seen.frames, seen.crops, seen.errors) == (8, 1, 1)
        assert set(seen.stages_ms) == {*STAGES, "wait", "total"} and tuple(told) == STAGES
        whole = seen.stages_ms["total"]
        assert 0 < seen.stages_ms["network"]["p50"] <= whole["p50"] <= whole["p95"]
    assert editor.statistics == seen


def test_statistics_cost_next_to_nothing():
    from edgegan.runtime.metrics.tally import CallTally

    tally, best = CallTally(), 1.0
    for _ in range(5):
        began = time.process_time()
        for _ in range(200):
            with tally.call(frames=1):
                for stage in STAGES:
                    tally.record(stage, 0.001)
        best = min(best, (time.process_time() - began) / 200)
    assert best < 0.0002  # of a frame's 33 ms


def test_an_editor_prints_nothing_and_leaves_the_process_as_it_was(model, scene, capfd):
    import os
    import signal

    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}, dict(os.environ), np.geterr()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    with Editor.open(model) as editor:
        editor.edit(scene, {"Smiling": 1.0}, timestamp=0.0)
    with pytest.raises(InputError):
        Editor.open("nowhere.onnx")
    after = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}, dict(os.environ), np.geterr()
    assert before == after and np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert capfd.readouterr() == ("", "")
