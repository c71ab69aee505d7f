"""A large text is kept in a folder, ready for the next training on it."""

import errno
import gzip
import json
import os
import tempfile
import time
from types import SimpleNamespace

import numpy as np
import pytest

import rnncli
from rnncli.errors import TextError
from rnncli.storage import flock, text_cache
from rnncli.storage.text_cache import LOCK, SUMS, TEXT, TextCache
from rnncli.text.columns import Store
from rnncli.training import budget, texts
from rnncli.training.plan import Options, make_plan


@pytest.fixture
def large(monkeypatch):
    """Every text counts as large."""
    monkeypatch.setattr(texts, "MIN_SOURCE_BYTES", 1)
    monkeypatch.setitem(Store.__init__.__kwdefaults__, "max_in_memory", 0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def prepared(folder, *sources, init=None, on_progress=None, **options):
    return make_plan(Options.of(options, init), sources, init, cache_dir=folder, on_progress=on_progress)


def entries(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_same(found, wanted):
    assert found[0] == wanted[0]
    one, other = found[1], wanted[1]
    assert one.vocabulary.words == other.vocabulary.words
    assert (one.train.tolist(), one.valid.tolist()) == (other.train.tolist(), other.valid.tolist())
    assert one.train.dtype == other.train.dtype
    for name in ("name", "tokenizer", "unit", "sha256", "reading", "facts", "detokenizer"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.detokenizer.text() == other.detokenizer.text()


def test_a_small_text_is_kept_in_memory_alone(noted_file, folder):
    _, corpus = prepared(folder, noted_file)
    assert (corpus.cache_entry, entries(folder)) == (None, [])


def test_a_large_text_is_the_same_read_kept_and_taken_from_the_folder(noted_file, folder, large, tmp_path):
    wanted = make_plan(Options.of({}), [noted_file], cache_dir=tmp_path / "elsewhere")
    first = prepared(folder, noted_file)
    assert first[1].cache_entry.is_reused is False
    (name,) = entries(folder)
    read = []
    again = prepared(folder, noted_file, on_progress=read.append)
    assert not read  # nothing is read again
    entry = again[1].cache_entry
    assert (entry.is_reused, entry.folder) == (True, folder / name)
    assert entry.bytes == sum(path.stat().st_size for path in (folder / name).iterdir()) > 1000
    assert_same(first, wanted)
    assert_same(again, wanted)
    assert entries(folder) == [name]


def test_a_model_is_the_same_whether_its_text_was_kept_or_not(noted_file, folder, large, tmp_path, monkeypatch):
    files = []
    monkeypatch.setenv("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", str(folder))
    for number in range(2):
        files.append(tmp_path / f"{number}.npz")
        rnncli.save(rnncli.train(noted_file, hidden_size=8, epochs=1, threads=1), files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(entries(folder / "rnncli")) == 1


def test_what_decides_how_a_text_is_numbered_is_part_of_its_hash(noted_file, folder, large, noted_model, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text(noted_file.read_text("utf-8"), encoding="utf-8")
    prepared(folder, noted_file)
    for options in ({"lowercase": True}, {"max_vocab": 9}, {"unit": "paragraph"}, {"valid": [other]}, {"min_count": 2}):
        before = len(entries(folder))
        prepared(folder, noted_file, **options)
        assert len(entries(folder)) == before + 1, options
    _, corpus = prepared(folder, noted_file, init=noted_model)
    assert not corpus.cache_entry.is_reused
    other.write_text(noted_file.read_text("utf-8") + "One more.\n", encoding="utf-8")
    assert not prepared(folder, other)[1].cache_entry.is_reused


@pytest.mark.parametrize("name", ["train.npy", TEXT, SUMS, LOCK])
@pytest.mark.parametrize("damage", ["cut", "changed", "removed"])
def test_a_damaged_entry_is_made_anew(noted_file, folder, large, name, damage):
    wanted = prepared(folder, noted_file)
    wanted[1].cache_entry.lock.close()
    path = wanted[1].cache_entry.folder / name
    content = path.read_bytes()
    path.unlink()
    if damage != "removed":
        path.write_bytes(
            content[:-3] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]) if content else b""
        )
    found = prepared(folder, noted_file)
    assert found[1].cache_entry.is_reused is (name == LOCK)
    assert_same(found, wanted)
    assert prepared(folder, noted_file)[1].cache_entry.is_reused
    assert len(entries(folder)) == 1


def test_a_folder_that_cannot_be_written_is_a_warning(noted_file, tmp_path, large):
    blocked = tmp_path / "file"
    blocked.write_text("")
    _, corpus = prepared(blocked / "cache", noted_file)
    assert corpus.cache_entry is None
    assert len(corpus.train) > 100
    first, second = corpus.facts.warnings
    assert first.startswith(f"cannot write to {blocked / 'cache'} (")
    assert second.endswith("): the next training on this text will read it again")


@pytest.fixture
def temporary(monkeypatch):
    """The folders in which temporary files are made; some of them can be full."""
    known = SimpleNamespace(folders=[], full=set())
    make = tempfile.TemporaryFile

    def make_if_there_is_room(*arguments, **named):
        known.folders.append(named["dir"])
        if named["dir"] in known.full:
            raise OSError(28, "No space left on device")
        return make(*arguments, **named)

    monkeypatch.setattr(tempfile, "TemporaryFile", make_if_there_is_room)
    return known


def test_wrapped_prose_is_kept_in_the_folder_too_while_it_is_read(noted_file, folder, large, temporary):
    prepared(folder, noted_file, unit="paragraph")
    assert set(temporary.folders) == {folder}
    temporary.full.add(folder)
    _, corpus = prepared(folder, noted_file, unit="paragraph", lowercase=True)
    (warning,) = corpus.facts.warnings
    assert warning.startswith(f"cannot write to {folder} (No space left on device)")


def test_a_part_of_a_text_that_is_not_counted_in_the_folder_is_a_warning(
    noted_file, folder, large, temporary, monkeypatch
):
    monkeypatch.setattr(budget, "MAX_COUNTED_WORDS", 100)
    monkeypatch.setenv("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME", str(folder))
    _, corpus = prepared(folder / "rnncli", noted_file)
    temporary.full.add(corpus.cache_entry.folder)
    with pytest.warns(UserWarning, match="No space left on device") as told:
        rnncli.start_training(noted_file, hidden_size=8, epochs=1, threads=1)
    assert len(told) == 1


def test_what_is_left_of_a_killed_process_is_removed_and_what_is_used_stays(noted_file, folder, large, posix):
    _, used = prepared(folder, noted_file)
    prepared(folder, noted_file, lowercase=True)
    for path in folder.iterdir():
        os.utime(path / LOCK, (1, 1))
    left, unknown = (f"{text_cache.DRAFT}{number:032x}" for number in range(2))
    for name in (left, unknown, "of another program"):
        (folder / name).mkdir()
        (folder / name / "train.npy").write_bytes(b"half")
    for name in (left, "of another program"):
        (folder / name / LOCK).touch()
        os.utime(folder / name / LOCK, (1, 1))
    TextCache(folder).clean()
    assert entries(folder) == sorted([used.cache_entry.folder.name, unknown, "of another program"])
    assert used.train.tolist() == np.load(used.cache_entry.folder / "train.npy").tolist()
    used.cache_entry.lock.close()
    os.utime(folder / unknown, (1, 1))
    TextCache(folder).clean()
    assert entries(folder) == ["of another program"]


def test_entries_that_are_too_much_go_and_the_latest_stay(noted_file, folder, large, monkeypatch):
    names = []
    for age, size in ((30, 11), (20, 12), (10, 13)):
        _, corpus = prepared(folder, noted_file, max_vocab=size)
        corpus.cache_entry.lock.close()
        names.append(corpus.cache_entry.folder.name)
        os.utime(corpus.cache_entry.folder / LOCK, (time.time() - age, time.time() - age))
    monkeypatch.setattr(text_cache, "MAX_BYTES", int(2.5 * corpus.cache_entry.bytes))
    del corpus
    TextCache(folder).clean()
    assert entries(folder) == sorted(names[1:])


def test_a_text_that_changes_while_it_is_read_is_not_kept(noted_file, folder, large, tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(noted_file.read_bytes())

    def change(fraction: float) -> None:
        os.utime(path, ns=(1, 1))

    _, corpus = prepared(folder, path, on_progress=change)
    assert (corpus.cache_entry, entries(folder)) == (None, [])


def test_the_progress_of_reading_is_that_in_the_files_also_in_compressed_ones(folder, tmp_path, rng):
    lines = "".join(f"word {number:x}\n" for number in rng.integers(2**60, size=20_000))
    plain = tmp_path / "plain.txt"
    plain.write_text(lines, encoding="utf-8")
    packed = tmp_path / "packed.txt.gz"
    packed.write_bytes(gzip.compress(lines.encode()))
    for sources, valid in (([plain], ()), ([packed], ()), ([plain], [packed])):
        told = []
        prepared(folder, *sources, valid=valid, on_progress=told.append)
        assert len(told) > 2
        assert told == sorted(set(told))
        assert 0 < told[0] < 1
        assert told[-1] == 1


def test_a_kept_text_tells_what_was_read_of_it(noted_file, folder, large):
    for _ in range(2):
        facts = prepared(folder, noted_file, max_vocab=12)[1].facts
        assert (facts.bytes, facts.units) == (noted_file.stat().st_size, 84)
        assert 0.05 < facts.unknown < 0.6
        assert facts.distinct_words == 14


def test_an_entry_is_found_by_those_of_the_same_version_alone(noted_file, folder, large, monkeypatch):
    entry = prepared(folder, noted_file)[1].cache_entry
    assert json.loads((entry.folder / TEXT).read_text("utf-8"))["unit"] == "line"
    monkeypatch.setattr(text_cache, "__version__", "0.0.1")
    assert not prepared(folder, noted_file)[1].cache_entry.is_reused


@pytest.mark.skipif(os.name == "nt", reason="other variables")
def test_the_folder_is_that_of_the_users_caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert TextCache().folder == tmp_path / "rnncli"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert TextCache().folder == tmp_path / "home" / ".cache" / "rnncli"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # where there is no user of this number
    assert TextCache().folder.is_absolute()


def test_what_another_process_holds_alone_is_not_waited_for(noted_file, folder, large, posix):
    _, corpus = prepared(folder, noted_file)
    entry = corpus.cache_entry
    entry.lock.close()
    held = text_cache.FileLock(entry.folder / LOCK, exclusive=True)
    assert TextCache(folder).find(entry.folder.name) is None
    held.close()
    assert TextCache(folder).find(entry.folder.name) is not None


@pytest.fixture
def docs(noted_file, tmp_path):
    """A folder of a text, a picture, a text in another encoding, and subtitles under another name."""
    path = tmp_path / "docs"
    path.mkdir()
    (path / "big.txt").write_bytes(noted_file.read_bytes())
    (path / "pic.png").write_bytes(b"\x89PNG\0")
    (path / "latin.txt").write_bytes(b"caf\xe9\n")
    (path / "film.txt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello.\n\n" * 3, encoding="utf-8")
    return path


def test_what_is_in_a_folder_is_another_text_than_the_same_files_when_they_are_named(docs, folder, large):
    assert prepared(folder, docs)[1].facts.read.not_texts
    with pytest.raises(TextError, match="not a text"):
        prepared(folder, docs / "big.txt", docs / "pic.png")
    (docs / "pic.png").unlink()
    (docs / "latin.txt").unlink()
    (docs / "below").mkdir()
    for sources in ([docs], [docs / "big.txt", docs / "film.txt"]):
        assert not prepared(folder, *sources)[1].cache_entry.is_reused, sources
    with pytest.raises(TextError, match="holds no text file"):
        prepared(folder, docs, docs / "below")
    (docs / "film.txt").rename(docs / "below" / "film.txt")
    assert not prepared(folder, docs)[1].cache_entry.is_reused


def test_a_folder_of_which_a_part_cannot_be_opened_is_not_kept(docs, folder, large, monkeypatch):
    (docs / "below").mkdir()
    scan = os.scandir

    def refuse(path):
        if os.path.basename(path) == "below":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    prepared(folder, docs)
    monkeypatch.setattr(os, "scandir", refuse)
    _, corpus = prepared(folder, docs)
    assert corpus.cache_entry is None
    assert f"left out {docs / 'below'}: Permission denied" in corpus.facts.warnings


def test_a_text_with_a_file_that_came_after_its_folder_was_looked_through_is_not_kept(docs, folder, large, monkeypatch):
    def key_before_a_file_comes(*arguments) -> str | None:
        key = text_cache.text_key(*arguments)
        (docs / "new.txt").write_text("One more.\n", encoding="utf-8")
        return key

    monkeypatch.setattr(texts, "text_key", key_before_a_file_comes)
    _, corpus = prepared(folder, docs)
    assert str(docs / "new.txt") in [file.name for file in corpus.facts.read.files]
    assert (corpus.cache_entry, entries(folder)) == (None, [])


def test_a_kept_text_is_told_of_by_the_names_that_it_has_now(docs, folder, large, tmp_path):
    wanted = prepared(folder, docs, valid=[docs])
    assert len(wanted[1].facts.warnings) == 6
    docs.rename(tmp_path / "moved")
    found = prepared(folder, tmp_path / "moved", valid=[tmp_path / "moved"])
    assert found[1].cache_entry.is_reused
    told = [warning.replace(str(docs), str(tmp_path / "moved")) for warning in wanted[1].facts.warnings]
    assert [*found[1].facts.warnings] == told
    assert str(docs) not in repr(found[1].facts)
    (tmp_path / "moved").rename(docs)
    again = prepared(folder, docs, valid=[docs])
    assert again[1].cache_entry.is_reused
    assert_same(again, wanted)


def test_a_folder_that_could_not_be_written_is_not_told_of_the_next_time(noted_file, folder, large, temporary):
    temporary.full.add(folder)
    assert prepared(folder, noted_file)[1].facts.warnings
    _, corpus = prepared(folder, noted_file)
    assert corpus.cache_entry.is_reused
    assert corpus.facts.warnings == ()


@pytest.mark.parametrize(
    ("module", "name"),
    [("unicodedata", "unidata_version"), ("platform", "python_version"), ("importlib.metadata", "version")],
)
def test_other_versions_of_what_reads_a_text_make_another_entry(noted_file, folder, large, monkeypatch, module, name):
    prepared(folder, noted_file)
    changed = "1.2.3" if name == "unidata_version" else lambda *_: "1.2.3"
    monkeypatch.setattr(f"{module}.{name}", changed)
    assert not prepared(folder, noted_file)[1].cache_entry.is_reused


def made_elsewhere(noted_file, tmp_path):
    """What another process has made of the text, which has not found an entry."""
    return prepared(tmp_path / "other cache", noted_file)[1]


def test_of_two_that_make_an_entry_the_second_takes_that_of_the_first(noted_file, folder, large, tmp_path):
    entry = prepared(folder, noted_file)[1].cache_entry
    before = {path: path.stat().st_ino for path in entry.folder.iterdir()}
    corpus = made_elsewhere(noted_file, tmp_path)
    kept = TextCache(folder).keep(entry.folder.name, corpus, {})
    assert {path: path.stat().st_ino for path in entry.folder.iterdir()} == before
    assert kept.cache_entry.folder == entry.folder
    assert kept.train.tolist() == corpus.train.tolist()
    assert entries(folder) == [entry.folder.name]
    entry.lock.close()
    os.utime(entry.folder / LOCK, (1, 1))
    TextCache(folder).clean()
    assert entries(folder) == [entry.folder.name]  # the second holds it, too


def test_a_damaged_entry_is_replaced_when_nobody_uses_it(noted_file, folder, large, tmp_path, posix):
    entry = prepared(folder, noted_file)[1].cache_entry
    (entry.folder / SUMS).write_text("{}")
    corpus = made_elsewhere(noted_file, tmp_path)
    with pytest.raises(OSError, match="not empty"):
        TextCache(folder).keep(entry.folder.name, corpus, {})
    assert (entry.folder / SUMS).read_text() == "{}"
    assert entries(folder) == [entry.folder.name]
    entry.lock.close()
    TextCache(folder).keep(entry.folder.name, corpus, {})
    assert TextCache(folder).find(entry.folder.name) is not None


@pytest.mark.parametrize("place", ["FileLock", "_hash"])
@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EROFS, errno.EIO, errno.EAGAIN])
def test_an_entry_that_cannot_be_read_now_stays_for_the_next_time(
    noted_file, folder, large, monkeypatch, place, number
):
    entry = prepared(folder, noted_file)[1].cache_entry
    entry.lock.close()

    def fail(*arguments, **named):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(text_cache, place, fail)
        assert TextCache(folder).find(entry.folder.name) is None
    assert TextCache(folder).find(entry.folder.name) is not None


def test_what_takes_the_place_of_an_entry_while_it_is_looked_for_stays(noted_file, folder, large, monkeypatch):
    entry = prepared(folder, noted_file)[1].cache_entry
    entry.lock.close()
    monkeypatch.setattr(flock, "is_at", lambda path, number: False)  # the lock that was opened is of a removed entry
    assert TextCache(folder).find(entry.folder.name) is None
    monkeypatch.undo()
    assert TextCache(folder).find(entry.folder.name) is not None


def aged(folder, noted_file, ages) -> list:
    """Make an entry for each age in seconds, which nobody holds."""
    found = []
    for size, age in enumerate(ages, 11):
        entry = prepared(folder, noted_file, max_vocab=size)[1].cache_entry
        entry.lock.close()
        os.utime(entry.folder / LOCK, (time.time() - age, time.time() - age))
        found.append(entry)
    return found


def test_the_latest_entry_stays_however_large_it_is(noted_file, folder, large, monkeypatch):
    _, latest = aged(folder, noted_file, (20, 10))
    monkeypatch.setattr(text_cache, "MAX_BYTES", 1)
    TextCache(folder).clean()
    assert entries(folder) == [latest.folder.name]
    assert prepared(folder, noted_file, max_vocab=12)[1].cache_entry.is_reused


def test_an_entry_stays_for_which_there_is_room_when_a_larger_one_has_gone(noted_file, folder, large, monkeypatch):
    old, larger, latest = aged(folder, noted_file, (30, 20, 10))
    sizes = {old.folder: 1, larger.folder: 10, latest.folder: 1}
    monkeypatch.setattr(text_cache, "_size", sizes.get)
    monkeypatch.setattr(text_cache, "MAX_BYTES", 5)
    TextCache(folder).clean()
    assert entries(folder) == sorted([old.folder.name, latest.folder.name])


def test_what_another_process_removes_meanwhile_does_not_end_the_cleaning(noted_file, folder, large, monkeypatch):
    (old,) = aged(folder, noted_file, [text_cache.MAX_SECONDS + 10])
    listed = type(folder).iterdir

    def with_others(path):
        if path == folder:
            yield folder / ("0" * 32)
            yield folder / f"{text_cache.DRAFT}{'0' * 32}"
        yield from listed(path)

    monkeypatch.setattr(type(folder), "iterdir", with_others)
    TextCache(folder).clean()
    monkeypatch.undo()
    assert not old.folder.exists()


def test_a_small_text_looks_for_nothing_in_the_folder(noted_file, folder, monkeypatch):
    folder.mkdir()
    monkeypatch.setattr(TextCache, "clean", lambda self: pytest.fail("a large text cleans"))
    assert prepared(folder, noted_file)[1].cache_entry is None
