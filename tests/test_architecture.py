"""The rules of the house: which room may know which, and who may touch files and the terminal."""

import ast
import re
from pathlib import Path

import pytest

import rnncli

HOUSE = Path(rnncli.__file__).parent
# Every room may import from its own floor and from the floors below it.
FLOORS = [
    {"__main__"},
    {"cli"},
    {"training"},
    {"checkpoint"},
    {"model"},
    {"context"},
    {"generation", "evaluation", "explanation", "suggestion"},
    {"metrics"},
    {"prediction"},
    {"blanks", "scoring"},
    {"lm"},
    {"nn"},
    {"text"},
    {"threads", "archive"},
    {"errors", ""},
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(HOUSE.rglob("*.py"))


def room(module: Path) -> str:
    parts = module.relative_to(HOUSE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imports(module: Path) -> list[tuple[int, str]]:
    """What a module imports, wherever in it: the level (0: absolute) and the name. Not what is for types alone."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = f"{node.module}." if node.module else ""
            # What comes out of a package may be a module of it; if not, its name leads nowhere, and the package stands.
            found += [(node.level, package + alias.name) for alias in node.names]
    return found


def imported_modules(module: Path) -> list[Path]:
    """The files of this package that a module imports from."""
    files = []
    for level, name in imports(module):
        if level:
            path = module.parents[level - 1].joinpath(*name.split("."))
            places = (path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py"))
            files.append(next((place for place in places if place.exists()), path.parent / "__init__.py"))
    return files


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(HOUSE)))
def test_imports_run_downwards_only(module):
    for other in imported_modules(module):
        assert other.exists()
        assert FLOOR[room(other)] >= FLOOR[room(module)], f"{module.name} imports {other}"
        assert {room(module), room(other)} != {"nn", "text"}, "arrays and text do not know each other"


def test_there_are_no_cycles():
    graph = {module: set(imported_modules(module)) - {module} for module in MODULES}
    done: set[Path] = set()

    def visit(module: Path, path: tuple[Path, ...]) -> None:
        assert module not in path, " -> ".join(str(m.relative_to(HOUSE)) for m in (*path, module))
        if module not in done:
            for other in graph[module]:
                visit(other, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())
    assert done == set(MODULES)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(HOUSE)))
def test_only_the_command_line_knows_click_and_rich_and_prints_or_exits(module):
    if room(module) in ("cli", "__main__"):
        return
    assert not {"click", "rich", "prompt_toolkit"} & {name.partition(".")[0] for _, name in imports(module)}
    assert not {"print", "exit", "input"} & called(module)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(HOUSE)))
def test_only_the_model_file_and_the_reader_touch_files(module):
    if module.stem in ("archive", "checkpoint", "reading") or room(module) == "cli":
        return
    assert not {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "touch"} & called(
        module
    )


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(HOUSE)))
def test_randomness_is_handed_in(module):
    source = module.read_text(encoding="utf-8")
    assert "np.random.seed" not in source
    assert set(re.findall(r"np\.random\.(\w+)", source)) <= {"Generator", "SeedSequence", "default_rng"}


def called(module: Path) -> set[str]:
    """The names of all functions and methods that a module calls."""
    functions = [node.func for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Call)]
    names = {function.id for function in functions if isinstance(function, ast.Name)}
    return names | {function.attr for function in functions if isinstance(function, ast.Attribute)}


def test_no_file_outgrows_some_300_lines():
    long = {str(m.relative_to(HOUSE)): n for m in MODULES if (n := len(m.read_text("utf-8").splitlines())) > 310}
    assert long == {}
