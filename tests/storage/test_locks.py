import os
import signal
import threading

import pytest

from rnncli.errors import ModelError
from rnncli.storage import locks
from rnncli.storage.atomic import MODEL, check_writable
from rnncli.storage.locks import locked

HOLDER = """
import sys
from rnncli.storage.locks import locked
with locked(sys.argv[1], "output"):
    print("locked", flush=True)
    sys.stdin.readline()
"""
posix = pytest.mark.skipif(os.name == "nt", reason="needs the links, pipes and signals of POSIX")


def holding(start_python, path):
    """Start a process that holds the lock of a file."""
    process = start_python(HOLDER, path)
    assert process.stdout.readline() == "locked\n"
    return process


def found_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_of_two_processes_that_write_one_file_the_second_is_told_of_the_first(start_python, tmp_path):
    path = tmp_path / "model.npz"
    process = holding(start_python, path)
    told = (
        rf"another rnncli writes {path} \(process {process.pid}\): wait for it, or name another file with output=FILE"
    )
    with pytest.raises(ModelError, match=told), locked(path, "output"):
        pass
    with locked(tmp_path / "other.npz", "output"):
        pass
    process.communicate("end\n")
    assert found_in(tmp_path) == []
    with locked(path, "output"):
        assert len(found_in(tmp_path)) == 1
    assert found_in(tmp_path) == []


def test_who_is_patient_gets_the_lock_when_the_other_process_ends(start_python, tmp_path):
    path = tmp_path / "model.npz"
    process = holding(start_python, path)
    threading.Timer(0.3, process.communicate, ["end\n"]).start()
    with locked(path, "output", patience=60):
        assert process.wait(60) == 0
    assert found_in(tmp_path) == []


@posix
def test_a_process_that_was_killed_holds_nothing(start_python, tmp_path):
    process = holding(start_python, tmp_path / "model.npz")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(found_in(tmp_path)) == 1
    with locked(tmp_path / "model.npz", "output"):
        pass
    assert found_in(tmp_path) == []


@posix
def test_the_lock_of_a_process_that_was_killed_goes_when_another_file_is_written(start_python, tmp_path):
    killed = holding(start_python, tmp_path / "killed.npz")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    holding(start_python, tmp_path / "held.npz")
    check_writable(tmp_path / "other.npz", MODEL)
    assert found_in(tmp_path) == [".rnncli-held.npz.lock"]


def test_who_sweeps_a_folder_is_not_taken_for_a_training(tmp_path, monkeypatch):
    real = locks.try_lock
    answers = [False]
    monkeypatch.setattr(locks, "try_lock", lambda descriptor: answers.pop() if answers else real(descriptor))
    with locked(tmp_path / "model.npz", "output"):
        assert found_in(tmp_path) == [".rnncli-model.npz.lock"]


@posix
@pytest.mark.parametrize("is_there", [False, True], ids=["new", "old"])
def test_the_names_of_one_file_have_one_lock(tmp_path, monkeypatch, is_there):
    (tmp_path / "folder").mkdir()
    (tmp_path / "same").symlink_to("folder")
    (tmp_path / "link.npz").symlink_to("folder/model.npz")
    if is_there:
        (tmp_path / "folder" / "model.npz").touch()
    monkeypatch.chdir(tmp_path)
    names = ["folder/model.npz", "./folder/../folder/model.npz", "same/model.npz", "link.npz", tmp_path / "link.npz"]
    for held in names:
        with locked(held, "output"):
            for name in names:
                with pytest.raises(ModelError, match="another rnncli writes"), locked(name, "log"):
                    pass


def test_an_error_ends_the_lock(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "model.npz", "output"):
        raise KeyboardInterrupt
    assert found_in(tmp_path) == []


def test_a_missing_folder_is_named_and_that_of_the_models_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="there is no folder"), locked("missing/model.npz", "output"):
        pass
    with locked("models/model.npz", "output"):
        assert len(found_in(tmp_path / "models")) == 1
    assert found_in(tmp_path) == []  # nothing was written there


@posix
def test_pipes_and_devices_are_not_locked(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with locked(tmp_path / "pipe", "log"), locked(tmp_path / "pipe", "log"), locked(os.devnull, "log"):
        assert found_in(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["n" * 255, "é" * 120, "n" * 201, "n" * 200])
def test_a_long_name_has_a_lock_too(tmp_path, name):
    with locked(tmp_path / name, "output"):
        with pytest.raises(ModelError, match="another rnncli writes"), locked(tmp_path / name, "output"):
            pass
        with locked(tmp_path / ("m" + name[1:]), "output"):
            assert len(found_in(tmp_path)) == 2
    assert found_in(tmp_path) == []


def test_where_no_file_can_be_made_there_is_no_lock_and_the_check_of_the_output_tells_why(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "model.npz"
    with locked(path, "output"), pytest.raises(ModelError, match=r"cannot write .*: File exists"):
        check_writable(path, MODEL)
    assert found_in(tmp_path) == ["file"]


def test_a_file_system_that_knows_no_locks_is_no_error(tmp_path, monkeypatch):
    def no_locks(descriptor: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("rnncli.storage.flock._lock", no_locks)
    with locked(tmp_path / "model.npz", "output"), locked(tmp_path / "model.npz", "output"):
        pass
    assert found_in(tmp_path) == []


@posix
def test_a_lock_that_was_removed_while_it_was_taken_is_taken_anew(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    real = locks.try_lock
    removed = []

    def lock(descriptor: int) -> bool | None:
        if not removed:  # the last holder ends just now
            (name,) = tmp_path.iterdir()
            name.unlink()
            removed.append(name)
        return real(descriptor)

    monkeypatch.setattr(locks, "try_lock", lock)
    with locked(path, "output"):
        assert [*tmp_path.iterdir()] == removed  # a new file of the same name
        with pytest.raises(ModelError, match="another rnncli writes"), locked(path, "output"):
            pass
    assert found_in(tmp_path) == []


def test_a_holder_that_has_not_told_its_number_is_told_of_without_it(tmp_path):
    path = tmp_path / "model.npz"
    with locked(path, "log"):
        (lock,) = tmp_path.iterdir()
        lock.write_bytes(b"?")
        with (
            pytest.raises(ModelError, match=r"writes \S*model\.npz: wait for it, .* with log=FILE"),
            locked(path, "log"),
        ):
            pass
