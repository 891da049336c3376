"""One training in a run folder at a time, and a lock that dies with its owner."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgegan.runtime.errors import InputError, TrainingError
from edgegan.train.folder.lock import NAME, hold_run_folder

HOLDER = (
    "import sys, time; from pathlib import Path; from edgegan.train.folder.lock import hold_run_folder\n"
    "with hold_run_folder(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)\n"
)


def test_a_second_training_is_refused_with_the_firsts_process_id_until_it_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    owner = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout and owner.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match=f"process {owner.pid}"), hold_run_folder(folder):
            pass
        assert (folder / NAME).is_file()  # the refused one took nothing away
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert owner.stdout
        owner.stdout.close()
    with hold_run_folder(folder):
        assert (folder / NAME).read_text() == str(os.getpid())
    assert not (folder / NAME).exists()


def test_the_lock_binds_whoever_opened_the_file_before_its_owner_removed_it(tmp_path: Path) -> None:
    """flock is on a file, not on a name: the name must be looked at again once the lock is held."""
    with hold_run_folder(tmp_path):
        early = os.open(tmp_path / NAME, os.O_RDWR)
    with hold_run_folder(tmp_path):
        assert not os.path.samestat(os.fstat(early), os.stat(tmp_path / NAME))
        with pytest.raises(TrainingError), hold_run_folder(tmp_path):
            pass
    os.close(early)


def test_a_disk_that_takes_not_even_the_lock_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fail)
        with pytest.raises(InputError, match="No space left"), hold_run_folder(tmp_path / "runs" / "one"):
            pass
    assert not list(tmp_path.iterdir())
    with hold_run_folder(tmp_path / "runs" / "one"):
        assert (tmp_path / "runs" / "one" / NAME).read_text() == str(os.getpid())


def test_a_training_that_never_began_leaves_no_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError), hold_run_folder(tmp_path / "runs" / "one"):
        raise ValueError
    assert not list(tmp_path.iterdir())
    (tmp_path / "runs").mkdir()
    with hold_run_folder(tmp_path / "runs" / "one"):
        (tmp_path / "runs" / "one" / "config.json").write_text("{}")
    assert (tmp_path / "runs" / "one" / "config.json").is_file()
