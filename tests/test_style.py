"""A formatter, a linter and a type checker decide style. Files, functions and assignments are short."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "rnncli", "tests", "benchmarks", "docs"],
        ["ruff", "format", "--check", "--no-cache", "rnncli", "tests", "benchmarks", "docs"],
        ["mypy"],
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_formatter_the_linter_and_the_type_checker_have_nothing_to_say(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def modules() -> Iterator[tuple[str, str]]:
    """The name and the text of every module of the package."""
    for path in sorted((ROOT / "rnncli").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Every node of these kinds, and where it stands."""
    for name, text in modules():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, kinds):
                yield f"{name}:{node.lineno}", node


def test_no_file_is_long():
    lengths = {name: len(text.splitlines()) for name, text in modules()}
    found = [f"{name} {length}" for name, length in lengths.items() if length > MAX_FILE_LINES]
    assert not found, "\n".join(found)


def test_no_function_is_long():
    functions = nodes(ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {f"{place} {node.name}": node.end_lineno - node.lineno + 1 for place, node in functions}
    found = [f"{name} {length}" for name, length in lengths.items() if length > MAX_FUNCTION_LINES]
    assert not found, "\n".join(found)


def test_an_assignment_is_of_one_thing():
    found = [f"{place} {ast.unparse(node)}" for place, node in nodes(ast.Assign) if is_packed(node)]
    assert not found, "\n".join(found)


def is_packed(node: ast.Assign) -> bool:
    """Whether two or more computed values are assigned at once. To swap names is allowed, and so are constants."""
    targets = [target for target in node.targets if isinstance(target, ast.Tuple | ast.List)]
    if not targets or not isinstance(node.value, ast.Tuple | ast.List):
        return False
    computed = [value for value in node.value.elts if not isinstance(value, ast.Constant)]
    read = {ast.unparse(part) for value in computed for part in ast.walk(value) if isinstance(part, ast.expr)}
    assigned = {ast.unparse(element) for target in targets for element in target.elts}
    return len(computed) > 1 and not assigned & read


@pytest.mark.parametrize(
    ("line", "packed"),
    [
        ("a, b = f(), g()", True),
        ("a, self.b = x, y", True),
        ("a, b = f()", False),
        ("a, b = b, a + b", False),
        ("ONE, TWO = 1, 2", False),
    ],
)
def test_a_packed_assignment_is_found(line, packed):
    assert is_packed(ast.parse(line).body[0]) is packed


def test_tests_can_be_collected_on_windows():
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not POSIX_ONLY & {name.partition(".")[0] for name in imported}, path
