"""What the README and the pages of `docs/` show is so: their sessions are true, the README's commands run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)


SESSIONS = [
    session
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
]


def blocks(kind: str) -> list[str]:
    return [block for name, block in BLOCKS if name == kind]


def parts(output: str) -> list[str]:
    """The words and numbers of an output, without colours and bars."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[█▏▎▍▌▋▊▉]", "", output)
    return re.findall(r"\d+\.\d+(?:e-\d+)?|[^\s\d]+|\d+", plain)


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


def test_the_commands_for_a_text_of_ones_own_work(shell, corpus_file, tmp_path):
    (commands,) = [block for block in blocks("sh") if block.startswith("rnncli train")]
    (tmp_path / "corpus.txt").write_text("".join(corpus_file.read_text().splitlines(keepends=True)[:40]))
    run = shell(f"set -e; {commands}", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("models/corpus.npz\n")
    assert len(run.stdout.splitlines()) == 11


def test_the_python_example_works(corpus_file, tmp_path, monkeypatch, capsys):
    example, watched = blocks("python")
    monkeypatch.chdir(tmp_path)
    for name in ("corpus.txt", "test.txt"):
        (tmp_path / name).write_bytes(corpus_file.read_bytes())
    exec(compile(example, "README.md", "exec"), {})
    *predictions, text, perplexity = capsys.readouterr().out.splitlines()
    assert len(predictions) >= 5
    assert text
    assert float(perplexity) > 1
    exec(compile(watched, "README.md", "exec"), names := {})
    assert len(capsys.readouterr().out.splitlines()) == 5
    assert names["model"].predict("Tom is", n=1)


def test_the_checks_call_the_very_command_that_runs_the_tests():
    (command,) = [block.strip() for block in blocks("sh") if "pytest" in block]
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()
