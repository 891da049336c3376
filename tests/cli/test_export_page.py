"""`edgegan export --format web` on the command line."""

import pytest
from support.needed import needed
from support.web.site import npm_package

needed("tflite", "export")


def test_it_writes_the_page_of_the_shipped_model_and_says_how_to_look_at_it(run, tmp_path):
    code, out, err = run("export", "--format", "web", "--onnxruntime-web", npm_package())
    assert (code, err) == (0, "")
    assert (tmp_path / "site" / "index.html").is_file()
    assert "MB, with onnxruntime-web" in out and "python -m http.server --directory site" in out


@pytest.mark.parametrize(
    "words, seen",
    [
        (("--format", "web", "--trt"), "--trt with --format web"),
        (("avatars", "--format", "web,onnx"), "web alone"),
        (("avatars", "--onnxruntime-web", "here"), "--onnxruntime-web is for pages"),
        ((), "Missing argument"),
    ],
)
def test_what_does_not_go_together_is_refused(run, words, seen):
    code, out, err = run("export", *words)
    assert code == 2 and seen in out + err


def test_a_missing_npm_package_is_named_with_the_command_that_brings_it(run):
    code, out, err = run("export", "--format", "web", "--onnxruntime-web", ".")
    assert code == 2 and "npm install onnxruntime-web" in out + err
