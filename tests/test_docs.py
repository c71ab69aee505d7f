"""The pages of `docs/` say what the program says: their tables, their sessions, their recipes and the notebook."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from rnncli.cli import COMMANDS, main

DOCS = Path(__file__).parents[1] / "docs"
RECIPES = re.findall(
    r"## (.*?)\n.*?```(sh|bash|vim)\n(.*?)```", (DOCS / "recipes.md").read_text("utf-8"), flags=re.DOTALL
)


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make", DOCS / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_of_options_and_the_man_page_are_as_the_commands_say(make):
    assert {path.name for path in make.pages()} >= {f"{name}.md" for name in COMMANDS} | {"rnncli.1"}
    for path, text in make.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is out of date: run python docs/make.py"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_a_page_names_every_option_that_help_names(name):
    page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    shown = CliRunner().invoke(main, [name, "--help"], prog_name="rnncli").stdout
    options = set(re.findall(r"^  .*?(--[a-z-]+)", shown, flags=re.MULTILINE)) - {"--help"}
    assert options or name == "completion"
    assert {option for option in options if option not in page} == set()


def test_the_man_page_is_one(shell):
    if not shutil.which("man"):
        pytest.skip("needs man")
    page = shell(f"man --warnings -l '{DOCS / 'rnncli.1'}' | col -b")
    assert page.stderr == ""
    for section in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "--hidden-size", "RNNCLI_TRAIN_HIDDEN_SIZE"):
        assert section in page.stdout


def test_every_page_is_linked_and_every_link_leads_somewhere():
    pages = [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    links = {
        (page.parent / link).resolve()
        for page in pages
        for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    }
    assert all(link.exists() for link in links)
    assert {*DOCS.glob("*.md"), *DOCS.glob("*.ipynb")} <= links | {DOCS / "README.md"}


@pytest.fixture
def desk(tmp_path, model_file):
    """A folder with what the recipes speak of."""
    (tmp_path / "models").mkdir()
    shutil.copy(model_file, tmp_path / "models" / "the school.npz")
    (tmp_path / "prompts.txt").write_text("Tom is\nMary is not good at\n")
    (tmp_path / "sentences.txt").write_text("Tom is good at chess.\nchess at good is Tom\nMary is good at music.\n")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "today.txt").write_text("Tom is good at chess.\n" * 40)
    return tmp_path


SHOWN = {
    "Pick a next word with fzf": "study\n",
    "The likeliest next word of many prompts, with jq": r"Tom is \w+\nMary is not good at \w+\n",
    "The strangest sentences of a text": "chess at good is Tom\n",
    "Which of two words is meant": r"play\t0\.\d+\n$",
    "Compare models with xargs": r"models/the school.npz\tperplexity\t\d",
    "Score a long text on several machines with parallel": "",
    "Ask again and again without starting anew": '{"prompt": "Tom is", .*\n{"prompt": "Mary is not", .*\n',
    "Keep a model of your own notes up to date": "$",
}


def recipe(title: str) -> str:
    (code,) = [code for name, kind, code in RECIPES if name == title and kind != "vim"]
    return code


def needed(code: str) -> None:
    for tool in ("fzf", "jq", "parallel", "xargs", "vim"):
        if re.search(rf"\b{tool}\b", code) and not shutil.which(tool):
            pytest.skip(f"needs {tool}")


def test_every_recipe_is_tried():
    assert {title for title, kind, _ in RECIPES if kind != "vim"} == set(SHOWN)


@pytest.mark.parametrize("title", SHOWN)
def test_a_recipe_works_as_it_stands(shell, desk, title):
    code = recipe(title)
    needed(code)
    run = shell(f"export FZF_DEFAULT_OPTS=--filter=study\nset -e -o pipefail\n{code}", cwd=desk)
    assert run.returncode == 0, run.stderr
    assert re.match(SHOWN[title], run.stdout)
    if "notes.npz" in code:
        assert (desk / "models" / "notes.npz").exists()
    if "scores.tsv" in code:
        rows = [line.split("\t") for line in (desk / "scores.tsv").read_text().splitlines()]
        assert [row[-1] for row in rows] == (desk / "sentences.txt").read_text().splitlines()


def test_vim_completes_words(shell, desk):
    needed("vim")
    ((code,),) = [[code] for _, kind, code in RECIPES if kind == "vim"]
    (desk / "vimrc").write_text(code)
    question = "Tom is not good at science,"
    for typed, line in {
        f"{question} so he will st": f"{question} so he will study",
        f"{question} so he will (st": f"{question} so he will (study",
        f"{question} so no-st": f"{question} so no-st",
        question: f"{question} so",
    }.items():
        keys = rf"i{typed}\<C-X>\<C-U>\<Esc>:wq! out.txt\<CR>"
        run = shell(f'vim -u vimrc -N -es -c \'exe "normal {keys}"\' -c "wq! out.txt"', cwd=desk)
        assert (desk / "out.txt").read_text() == f"{line}\n", run.stderr


def test_the_notebook_runs_and_both_networks_read_the_whole_prompt(make):
    notebook = make.run_notebook(DOCS / "elman.ipynb")
    printed = [
        "".join(text for output in cell.get("outputs", []) for text in output["text"]) for cell in notebook["cells"]
    ]
    assert any("so he will ... [('study'," in text for text in printed)
    assert any(text.startswith("study ") for text in printed)
