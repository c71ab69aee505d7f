import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from rnncli.errors import ModelError
from rnncli.storage.archive import write_arrays
from rnncli.storage.atomic import CHECKPOINT, write_whole
from rnncli.storage.fallback import write_somewhere
from rnncli.storage.model_file import load, save, save_somewhere

OLD = b"PK\x03\x04".ljust(30, b"\0") + b"checkpoint.npy, the last good one"
posix = pytest.mark.skipif(os.name == "nt", reason="needs the limits and users of POSIX")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Three folders: one for temporary files, the user's home, and the current one."""
    folders = [tmp_path / name for name in ("temporary", "home", "current")]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folders[0]))
    monkeypatch.setenv("HOME", str(folders[1]))
    monkeypatch.setenv("USERPROFILE", str(folders[1]))
    monkeypatch.chdir(folders[2])
    return folders


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_model_is_written_where_it_should_be(model, places, tmp_path):
    path = tmp_path / "model.npz"
    assert save_somewhere(model, path) == (path, "")
    assert load(path).lm.names == model.lm.names
    assert files_in(tmp_path) == ["model.npz"]


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def replace_folder_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"a file")


def replace_folder_by_another(folder: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.mkdir()


def replace_folder_by_a_loop(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder)


FAILURES = [remove_folder, replace_folder_by_a_file, replace_folder_by_another, replace_folder_by_a_loop]


@posix
@pytest.mark.parametrize("while_writing", [False, True], ids=["before", "while writing"])
@pytest.mark.parametrize("fail", FAILURES, ids=lambda fail: fail.__name__)
def test_a_file_whose_folder_goes_is_written_among_the_temporary_files(places, tmp_path, fail, while_writing):
    folder = tmp_path / "models of mine"
    folder.mkdir()
    (folder / "old.npz").write_bytes(OLD)
    if not while_writing:
        fail(folder)
    failed = []

    def write(file) -> None:
        file.write(OLD)
        file.flush()
        if while_writing and not failed:
            failed.append(fail(folder))
        file.write(b" and half")

    path, failure = write_somewhere(folder / "old.npz", write, CHECKPOINT, ".checkpoint.npz")
    assert (path == folder / "old.npz") == (failure == "")
    assert path.read_bytes() == OLD + b" and half"
    if fail is replace_folder_by_another and not while_writing:
        assert path == folder / "old.npz"
    else:
        assert path.parent == places[0]
        assert re.fullmatch(r"rnncli-[0-9a-f]{8}\.checkpoint\.npz", path.name)
    if fail is replace_folder_by_another:
        assert (tmp_path / "moved" / "old.npz").read_bytes() == OLD


@posix
@pytest.mark.parametrize("gone", [1, 2, 3])
def test_each_place_is_tried_in_turn_and_the_error_names_them_all(places, tmp_path, gone):
    missing = tmp_path / "missing" / "model.npz"
    for folder in places[:gone]:
        folder.rmdir()
    write = lambda file: file.write(b"new")  # noqa: E731
    if gone < 3:
        path = write_somewhere(missing, write).path
        assert path.parent == places[gone]
        assert path.read_bytes() == b"new"
        return
    with pytest.raises(ModelError) as caught:  # the current folder was removed, and has no name any more
        write_somewhere(missing, write)
    told = str(caught.value)
    assert re.findall("cannot write (.*?): there is no folder", told)[0] == str(missing)
    assert [Path(name).parent for name in re.findall("cannot write (.*?): there is no folder", told)[1:]] == places[:2]
    assert "\n" not in told
    assert files_in(tmp_path) == []


@posix
def test_no_folder_for_temporary_files_and_no_home_leave_the_current_one(places, tmp_path, monkeypatch):
    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("rnncli.storage.fallback.PLACES", (none, homeless, Path.cwd))
    path = write_somewhere(tmp_path / "missing" / "model.npz", lambda file: file.write(b"new")).path
    assert path.parent == places[2]


def test_a_folder_is_tried_once(places, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("rnncli.storage.fallback.PLACES", (lambda: str(tmp_path / "file"),) * 3)
    with pytest.raises(ModelError) as caught:
        write_somewhere(tmp_path / "missing" / "model.npz", lambda file: None)
    assert str(caught.value).count("cannot write") == 2


def test_what_another_program_wrote_meanwhile_stays(model, places, tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(b"a letter")
    kept, failure = save_somewhere(model, path)
    assert failure == f"{path} is not a model, and would be overwritten: name another file"
    assert kept.parent == places[0]
    assert path.read_bytes() == b"a letter"
    assert load(kept).lm.names == model.lm.names


def test_a_model_that_no_file_may_hold_is_written_nowhere(model, corpus_file, places, tmp_path):
    with pytest.raises(ModelError, match="adapted to a text is not written"):
        save_somewhere(model.adapted([corpus_file]), tmp_path / "model.npz")
    assert files_in(tmp_path) == []


LIMITED = """
import resource, sys, tempfile
from pathlib import Path
from rnncli.storage.archive import read_arrays
from rnncli.storage.fallback import write_somewhere
from rnncli.storage.model_file import load, save_somewhere
path = Path(sys.argv[1])
tempfile.tempdir = sys.argv[2]
model = load(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
for write in (lambda: save_somewhere(model, path), lambda: write_somewhere(path, lambda file: file.write(bytes(9000)))):
    try:
        write()
    except Exception as error:
        print(type(error).__name__, error)
"""


@posix
def test_a_limit_on_the_size_of_files_is_an_error_that_leaves_the_last_good_file(model, places, tmp_path, python):
    path = tmp_path / "model.npz"
    save(model, path)
    before = path.read_bytes()
    lines = python(LIMITED, path, places[0]).splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith(f"ModelError cannot write {path}: File too large; cannot write {places[0]}")
        assert line.count("File too large") == 4
    assert path.read_bytes() == before
    assert files_in(tmp_path) == ["model.npz"]


FORBIDDEN = """
import os, sys, tempfile
from pathlib import Path
from rnncli.storage.atomic import write_whole
from rnncli.storage.fallback import write_somewhere
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write everywhere
try:
    write_whole(sys.argv[1], lambda file: file.write(b"new"))
except Exception as error:
    print(type(error).__name__, error)
"""


@posix
def test_a_folder_that_may_not_be_written_to_is_an_error_that_leaves_the_last_good_file(tmp_path, python):
    path = tmp_path / "model.npz"
    path.write_bytes(OLD)
    tmp_path.chmod(0o500)
    try:
        assert python(FORBIDDEN, path) == f"ModelError cannot write {path}: Permission denied\n"
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == OLD
    assert files_in(tmp_path) == ["model.npz"]


def test_arrays_that_cannot_be_written_leave_the_last_good_file(tmp_path):
    path = tmp_path / "model.npz"
    write_whole(path, lambda file: write_arrays(file, {"a": np.arange(3)}))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_whole(path, lambda file: write_arrays(file, {"a": np.arange(9), "b": np.array([object()])}))
    assert path.read_bytes() == before
    assert files_in(tmp_path) == ["model.npz"]
