"""Long work is told on stderr: a bar on a terminal, one line in a log."""

from edgegan.data._files.work import in_threads, show_steps


def test_a_log_gets_one_line_and_no_empty_ones(capsys):
    assert list(show_steps(range(3), 3, "Training the judge")) == [0, 1, 2]
    assert list(in_threads(str, [1, 2], what="Drawing 2 pictures")) == ["1", "2"]
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Training the judge\nDrawing 2 pictures\n")


def test_a_terminal_gets_a_bar_that_goes_away(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert list(show_steps(iter("ab"), 2, "Measuring hair")) == ["a", "b"]
    err = capsys.readouterr().err
    assert "Measuring hair" in err and "\x1b[2K" in err
