import os
import signal
import stat

import pytest

from rnncli.errors import ModelError
from rnncli.storage import drafts
from rnncli.storage.atomic import MODEL, check_writable, write_whole

WRITER = """
import sys
from rnncli.storage.atomic import write_whole
def write(file):
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.readline()
    file.write(b" and half")
write_whole(sys.argv[1], write)
"""
pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="Windows keeps drafts for a day, as it cannot tell whose they are"
)


def writing(start_python, path):
    """Start a process that is in the midst of writing a file."""
    process = start_python(WRITER, path)
    assert process.stdout.readline() == "writing\n"
    return process


def found_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_drafts_of_killed_processes_are_removed_by_the_next_one_that_writes_there(start_python, tmp_path):
    for _ in range(2):
        process = writing(start_python, tmp_path / "file")
        process.send_signal(signal.SIGKILL)
        process.wait()
    (left,) = found_in(tmp_path)  # the second one has swept up after the first
    assert drafts.SWEPT_NAME.fullmatch(left)
    write_whole(tmp_path / "other", lambda file: file.write(b"new"))
    assert found_in(tmp_path) == ["other"]


def test_asking_whether_a_file_can_be_written_removes_drafts_as_well(tmp_path):
    (tmp_path / ".rnncli-0123abcd.part").write_bytes(b"left by a process that was killed")
    check_writable(tmp_path / "file", MODEL)
    assert found_in(tmp_path) == []


def test_a_draft_that_another_process_writes_is_left_alone(start_python, tmp_path):
    process = writing(start_python, tmp_path / "theirs")
    write_whole(tmp_path / "ours", lambda file: file.write(b"new"))
    assert len(found_in(tmp_path)) == 2
    process.communicate("go on\n")
    assert process.returncode == 0
    assert found_in(tmp_path) == ["ours", "theirs"]
    assert (tmp_path / "theirs").read_bytes() == b"half and half"


@pytest.mark.parametrize(
    "name", [".rnncli-0123abc.part", ".rnncli-0123ABCD.part", "rnncli-0123abcd.part", ".rnncli-0123abcd.part.npz", "a"]
)
def test_files_of_other_names_are_left_alone(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    drafts.sweep(tmp_path)
    assert (tmp_path / name).read_bytes() == b"mine"


def test_what_only_has_the_name_of_a_draft_is_left_alone(tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    (tmp_path / ".rnncli-00000001.part").symlink_to("mine")
    (tmp_path / ".rnncli-00000002.part").mkdir()
    os.mkfifo(tmp_path / ".rnncli-00000003.part")  # nobody waits for a writer either
    before = found_in(tmp_path)
    drafts.sweep(tmp_path)
    assert found_in(tmp_path) == before
    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_drafts_stay_where_the_file_system_knows_no_locks_and_files_are_written_there(tmp_path, monkeypatch):
    def no_locks(descriptor: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("rnncli.storage.flock._lock", no_locks)
    (tmp_path / ".rnncli-00000001.part").touch()
    write_whole(tmp_path / "file", lambda file: file.write(b"new"))
    assert found_in(tmp_path) == [".rnncli-00000001.part", "file"]


def test_a_draft_that_is_swept_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    swept = []

    def lock(descriptor: int) -> bool:
        if not swept:  # somebody who sweeps is faster
            (path,) = tmp_path.iterdir()
            path.unlink()
            swept.append(path)
        return True

    monkeypatch.setattr(drafts, "try_lock", lock)
    write_whole(tmp_path / "file", lambda file: file.write(b"new"))
    assert len(swept) == 1
    assert (tmp_path / "file").read_bytes() == b"new"
    assert found_in(tmp_path) == ["file"]


def test_a_draft_that_somebody_holds_to_sweep_it_is_given_up(tmp_path, monkeypatch):
    answers = iter([False, True])
    monkeypatch.setattr(drafts, "try_lock", lambda descriptor: next(answers))
    with drafts.open_draft(tmp_path) as draft:
        assert len(found_in(tmp_path)) == 2  # the other is for the one who sweeps
        draft.file.write(b"new")
        draft.take_place_of(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_the_file_and_then_its_folder_are_written_to_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")))
    if not os.path.exists("/proc/self/fd"):
        pytest.skip("asks Linux for the names of open files")
    write_whole(tmp_path / "file", lambda file: file.write(b"new"))
    draft, folder = synced
    assert drafts.SWEPT_NAME.fullmatch(os.path.basename(draft))
    assert folder == str(tmp_path)


@pytest.mark.parametrize(("number", "is_told"), [(5, True), (22, False)], ids=["EIO", "EINVAL"])
def test_a_folder_that_cannot_be_written_to_the_disk_is_told_of_unless_no_folder_can(
    tmp_path, monkeypatch, number, is_told
):
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    try:
        write_whole(tmp_path / "file", lambda file: file.write(b"new"))
        message = ""
    except ModelError as error:
        message = str(error)
    assert message.endswith("Input/output error") == is_told
    assert (tmp_path / "file").read_bytes() == b"new"
