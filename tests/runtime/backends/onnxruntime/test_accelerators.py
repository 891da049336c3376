"""Which nodes run where is asked of ONNX Runtime, real where it can be; other makers' hardware is a fake."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import tiny_models

from edgegan.runtime.backends import describe_library, open_backend
from edgegan.runtime.backends.onnxruntime import backend as ort_backend
from edgegan.runtime.backends.onnxruntime.accelerators import ACCELERATORS
from edgegan.runtime.backends.onnxruntime.backend import OnnxRuntime, import_onnxruntime
from edgegan.runtime.errors import BackendError
from edgegan.runtime.model.artefact import load


@pytest.fixture
def model(tmp_path):
    return load(tiny_models.write_editor(tmp_path, classifier=False))


@pytest.fixture
def install(monkeypatch):
    """An ONNX Runtime that has a provider: the real one computes for it on the CPU, and nodes are said to be there."""

    def install(provider, elsewhere=()):
        real = import_onnxruntime()
        made = []

        class Session(real.InferenceSession):
            def __init__(self, path, settings, providers, enable_fallback):
                made.append((providers[0], settings.enable_mem_pattern))
                super().__init__(path, settings, providers=["CPUExecutionProvider"])

            def get_providers(self):
                return [provider, "CPUExecutionProvider"]

            def get_provider_graph_assignment_info(self):
                nodes = [SimpleNamespace(name=f"{kind}_1", op_type=kind) for kind in elsewhere]
                part = SimpleNamespace(ep_name="CPUExecutionProvider", get_nodes=lambda: nodes)
                return [SimpleNamespace(ep_name=provider, get_nodes=lambda: []), *([part] if nodes else [])]

        fake = SimpleNamespace(
            InferenceSession=Session,
            SessionOptions=real.SessionOptions,
            get_available_providers=lambda: [provider, "CPUExecutionProvider"],
            set_default_logger_severity=real.set_default_logger_severity,
            __version__=real.__version__,
            made=made,
        )
        monkeypatch.setattr(ort_backend, "import_onnxruntime", lambda: fake)
        return fake

    return install


@pytest.mark.parametrize("device", ACCELERATORS)
def test_a_provider_that_is_not_here_is_said_and_never_the_cpu_instead(model, device):
    if ACCELERATORS[device].provider in import_onnxruntime().get_available_providers():
        pytest.skip("this ONNX Runtime has it")
    with pytest.raises(BackendError, match=f"built without {ACCELERATORS[device].provider}\n"):
        open_backend(model, "onnxruntime", device)
    assert device not in describe_library("onnxruntime")


@pytest.mark.parametrize("device", ACCELERATORS)
def test_a_provider_that_runs_all_of_it_is_held_to_the_golden_pairs(model, install, device):
    ort = install(ACCELERATORS[device].provider)
    with open_backend(model, "onnxruntime", device, threads=3) as opened:
        assert opened.device == device and "golden pairs just now" in opened.selection.why
        given = {"image": np.zeros((1, 3, 32, 32), np.float32), "label": np.array([[1, 0, 0]], np.float32)}
        assert opened.run(given)["edited"][0, 0, 0, 0] == 0.5
    ((provider, options), pattern), *_ = ort.made
    assert provider == ACCELERATORS[device].provider and pattern == (device != "directml")
    assert options.get("intra_op_num_threads", "3") == "3" and options.get("device_id", "0") == "0"
    assert device in describe_library("onnxruntime")


@pytest.mark.parametrize("device", ACCELERATORS)
def test_a_node_that_would_go_to_the_cpu_is_named_and_refuses_the_model(model, install, device):
    install(ACCELERATORS[device].provider, elsewhere=("InstanceNormalization",))
    with pytest.raises(BackendError, match=r"cannot run InstanceNormalization_1 \(InstanceNormalization\)"):
        OnnxRuntime(model, device=device)


def test_auto_takes_none_of_them_unasked(model, install):
    install("CoreMLExecutionProvider")
    with open_backend(model) as opened:
        assert opened.device == "cpu" and not any("coreml" in pair for pair in opened.selection.others)


def test_a_number_counts_where_there_may_be_several(model, install):
    ort = install("DmlExecutionProvider")
    OnnxRuntime(model, device="directml:1").close()
    assert ort.made[0][0][1]["device_id"] == "1"
    install("CoreMLExecutionProvider")
    with pytest.raises(BackendError, match="'coreml:1' is not a device"):
        OnnxRuntime(model, device="coreml:1")
