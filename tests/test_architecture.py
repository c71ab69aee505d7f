"""The rules of the house: which room may import which, and who may touch files and the terminal."""

import ast
import re
from pathlib import Path

import pytest

import rnncli

HOUSE = Path(rnncli.__file__).parent
PACKAGE = ""  # rnncli/__init__.py
# A room may import from its own layer and from those below it.
LAYERS = [
    {"__main__", "cli"},
    {"api", PACKAGE},
    {"tasks", "training"},
    {"storage", "model", "learned", "lm"},
    {"nn", "text"},
    {"callbacks", "errors", "declaration", "options", "network_options", "ranks", "version"},  # under everything
]
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
STRANGERS = [{"tasks", "training"}, {"nn", "text"}]  # in one layer, and do not know each other
COMMAND_LINE = {"cli", "__main__"}
TEXT_FILES = {"text/reading.py", "text/columns.py", "lm/ngram_columns.py"}  # of texts, also large ones
TERMINAL_LIBRARIES = {"click", "rich", "prompt_toolkit", "matplotlib"}
FILE_METHODS = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "makedirs", "unlink", "remove"),
    *("touch", "rename", "rmdir", "savez", "memmap", "fromfile", "tofile", "loadtxt"),
}
MODULES = sorted(HOUSE.rglob("*.py"))


def title(module: Path) -> str:
    return module.relative_to(HOUSE).as_posix()


every_module = pytest.mark.parametrize("module", MODULES, ids=title)


def room(module: Path) -> str:
    """Return the file or folder of the package that a module is, or is in."""
    parts = module.relative_to(HOUSE).with_suffix("").parts
    return PACKAGE if parts == ("__init__",) else parts[0]


def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imports(module: Path) -> list[tuple[int, str]]:
    """Return all that a module imports, also within functions and for types: the level (0: absolute) and the name."""
    found = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found += [(0, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = f"{node.module}." if node.module else ""
            found += [(node.level, package + alias.name) for alias in node.names]
    return found


def imported_modules(module: Path) -> set[Path]:
    """Return the files of this package that a module imports from."""
    files = set()
    for level, name in imports(module):
        if level:
            parts = name.split(".")
            folder = module.parents[level - 1]
        elif name.split(".")[0] == "rnncli":
            parts = name.split(".")[1:]
            folder = HOUSE
        else:
            continue
        path = folder.joinpath(*parts)
        # What is imported from a package may be a module of it, or a name in it.
        places = [path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py")]
        files.add(next((place for place in places if place.exists()), path.parent / "__init__.py"))
    return files


def called(module: Path) -> set[str]:
    """Return the names of all functions and methods that a module calls."""
    functions = [node.func for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    names = {function.id for function in functions if isinstance(function, ast.Name)}
    return names | {function.attr for function in functions if isinstance(function, ast.Attribute)}


def test_every_room_has_its_layer():
    assert {room(module) for module in MODULES} == set(LAYER)


@every_module
def test_imports_run_downwards_only(module):
    for other in imported_modules(module):
        assert other.exists(), other
        assert LAYER[room(other)] >= LAYER[room(module)], f"{title(module)} imports {title(other)}"
        pair = {room(module), room(other)}
        assert pair not in STRANGERS, f"{title(module)} imports {title(other)}"


def assert_no_cycle(graph: dict) -> None:
    done = set()

    def visit(node, path) -> None:
        assert node not in path, f"{node} imports itself by way of {path}"
        if node not in done:
            for other in sorted(graph[node]):
                visit(other, [*path, node])
            done.add(node)

    for node in graph:
        visit(node, [])
    assert done == set(graph)


def test_no_module_imports_itself_by_way_of_others():
    assert_no_cycle(
        {title(module): {title(other) for other in imported_modules(module) - {module}} for module in MODULES}
    )


def test_no_room_imports_itself_by_way_of_others():
    graph = {own: set() for own in LAYER}
    for module in MODULES:
        graph[room(module)] |= {room(other) for other in imported_modules(module)} - {room(module)}
    assert_no_cycle(graph)


@every_module
def test_only_the_command_line_knows_the_terminal_and_prints_or_exits(module):
    if room(module) in COMMAND_LINE:
        return
    assert not TERMINAL_LIBRARIES & {name.partition(".")[0] for _, name in imports(module)}
    assert not {"print", "exit", "_exit", "input"} & called(module)
    source = module.read_text(encoding="utf-8")
    assert "SystemExit" not in source
    assert not re.search(r"\bsys\.(stdout|stderr)\b", source)


@every_module
def test_only_storage_and_the_readers_of_texts_touch_files(module):
    if room(module) in COMMAND_LINE | {"storage"} or title(module) in TEXT_FILES:
        return
    assert not FILE_METHODS & called(module)
    assert not {"tempfile", "shutil", "zipfile", "io"} & {name.partition(".")[0] for _, name in imports(module)}


@every_module
def test_randomness_is_handed_in(module):
    source = module.read_text(encoding="utf-8")
    assert "np.random.seed" not in source
    assert set(re.findall(r"np\.random\.(\w+)", source)) <= {"Generator", "SeedSequence", "default_rng"}
    assert "random" not in {name.partition(".")[0] for _, name in imports(module)}
