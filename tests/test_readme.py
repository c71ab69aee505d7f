"""What the README and the pages of `docs/` show is so: their sessions are true, the README's commands run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def fenced(page: Path, kind: str) -> list[str]:
    """The blocks of a page that are of a kind, such as console."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def blocks(kind: str) -> list[str]:
    return fenced(ROOT / "README.md", kind)


SESSIONS = [
    session
    for page in PAGES
    for block in fenced(page, "console")
    for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]


def parts(output: str) -> list[str]:
    """The words and numbers of an output, without colours and bars."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[█▏▎▍▌▋▊▉]", "", output)
    return re.findall(r"\d+\.\d+(?:e-\d+)?|[^\s\d]+|\d+", plain)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.partition("\n")[0])
def test_the_sessions_are_true(terminal, session):
    command, _, expected = session.partition("\n")
    shown, status = terminal(command)
    assert status == 0
    for found, told in zip(parts(shown), parts(expected), strict=True):
        if re.fullmatch(r"\d+\.\d+.*", told):  # another processor may round in another way
            assert float(found) == pytest.approx(float(told), rel=0.01, abs=2e-4)
        else:
            assert found == told


@pytest.fixture
def desk(corpus_file, tmp_path, monkeypatch) -> Path:
    """A folder with the texts that the examples speak of."""
    lines = corpus_file.read_text().splitlines(keepends=True)
    (tmp_path / "corpus.txt").write_text("".join(lines[:40]))
    for name in ("test.txt", "notes.txt"):
        (tmp_path / name).write_text("".join(lines[:100]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_for_a_text_of_ones_own_work(shell, desk):
    (commands,) = [block for block in blocks("sh") if "rnncli train" in block and "pip" not in block]
    run = shell(f"set -e; {commands}", cwd=desk)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("models/corpus.npz\n")
    assert len(run.stdout.splitlines()) > 1  # the path of the model, and what it predicts


ELSEWHERE = {"export.md"}  # which needs other packages: see `tests/lm/test_exports.py`


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if fenced(page, "python") and page.name not in ELSEWHERE],
    ids=lambda page: page.name,
)
def test_the_python_examples_work(desk, page, capsys):
    names = {}
    for number, example in enumerate(fenced(page, "python"), 1):
        exec(compile(example, f"{page.name}, example {number}", "exec"), names)
        assert capsys.readouterr().out, f"example {number} shows nothing"
    assert names["model"].predict("Tom is", n=1)


def test_the_checks_call_the_very_command_that_runs_the_tests():
    (command,) = [line for block in blocks("sh") for line in block.splitlines() if "-m pytest" in line]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_commands_install_into_an_environment_whose_path_the_readme_names():
    install, tests = [line for block in blocks("sh") for line in block.splitlines() if "pip install" in line]
    for command in (install, tests):
        assert command.startswith("python3 -m venv .venv && .venv/bin/python -m pip install ")
    assert " && .venv/bin/rnncli predict " in install
    assert "`.venv/bin/rnncli`" in (ROOT / "README.md").read_text(encoding="utf-8")
