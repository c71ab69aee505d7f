"""Writes into the documents what the program and the benchmarks say: python docs/make.py

- The tables of options and of rules, between markers such as `<!-- options -->` and `<!-- end of options -->`.
- The man page.
- The tables and sentences of figures, from the result files of the benchmarks (see `figures.py`).
- The outputs of the commands in blocks of `console`, as a terminal of 80 columns shows them.
- The README's picture (see `draw.py`), and the outputs of the notebook.
"""

import contextlib
import io
import json
import re
import sys
from pathlib import Path

import click

import rnncli
from rnncli.cli import COMMANDS, main
from rnncli.cli.declared import flag
from rnncli.declaration import declarations
from rnncli.options import OPTION_CLASSES
from rnncli.training.recipe import RULES

sys.path.insert(0, str(Path(__file__).parent))

import draw
import figures

DOCS = Path(__file__).parent
ROOT = DOCS.parent

WITH_FIGURES = [  # documents in which every measured figure comes from a result file
    ROOT / "README.md",
    ROOT / "benchmarks" / "README.md",
    ROOT / "models" / "README.md",
    DOCS / "benchmarks.md",
    DOCS / "experiments.md",
    DOCS / "compress.md",
    DOCS / "export.md",
    DOCS / "scaling.md",
    DOCS / "several-machines.md",
]


def pages() -> dict[Path, str]:
    """Return what each file that is written should hold, but for the outputs of commands."""
    found = {DOCS / "rnncli.1": man_page()}
    for path in [*WITH_FIGURES, *DOCS.glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        found[path] = figures.with_figures(with_tables(path.stem, text) if path.stem in COMMANDS else text)
    return found


def loose_figures() -> dict[Path, list[str]]:
    """Return the figures of each document that come from no result file: there should be none."""
    loose = {path: figures.loose_figures(path.read_text(encoding="utf-8")) for path in WITH_FIGURES}
    return {path: found for path, found in loose.items() if found}


def with_tables(name: str, page: str) -> str:
    """Return the page of a command with its tables of options and of rules up to date."""
    return _between("rules", rules(), _between("options", table(name), page))


def _between(marker: str, text: str, page: str) -> str:
    """Return a page with a text between two markers, if it has them."""
    begin = f"<!-- {marker} -->"
    end = f"<!-- end of {marker} -->"
    before, found, rest = page.partition(begin)
    return f"{before}{begin}\n\n{text}\n{end}{rest.partition(end)[2]}" if found else page


def rules() -> str:
    """Return the rules for the options of a training as a Markdown table."""
    rows = ["| option | default |", "|---|---|"]
    declared = declarations(*OPTION_CLASSES)
    written = {name: flag(name, declaration).partition("/")[0] for name, declaration in declared.items()}
    rows += (f"| `{written[name]}` | {_escaped(RULES[name].text)} |" for name in declared if name in RULES)
    return "\n".join(rows) + f"\n\nExpected epochs: {RULES['expected_epochs'].text}.\n"


def options(name: str) -> list[tuple[str, str, str]]:
    """Return of each option of a command how it is written, what it does, and the variable that sets its default."""
    found = []
    for option in main.get_command(None, name).params:
        if isinstance(option, click.Option):
            written = "/".join([", ".join(option.opts), *option.secondary_opts])
            if not option.is_flag:
                written += f" {_value(option)}"
            # Without a variable of its own, an option has the one that Click makes of `auto_envvar_prefix`.
            variable = option.envvar or f"RNNCLI_{name}_{option.name}".upper()
            found.append((written, _help(option), str(variable)))
    return found


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or {"duration": "TIME"}.get(option.type.name, option.type.name.upper())


def _help(option: click.Option) -> str:
    shown = option.help
    if option.show_default and option.default is not None:
        default = option.default
        if option.secondary_opts:
            default = (option.opts if default else option.secondary_opts)[0].lstrip("-")
        shown += f" [default: {default}]"
    return " ".join(shown.split())


def table(name: str) -> str:
    """Return the options of a command as a Markdown table."""
    rows = ["| option | what it does | variable |", "|---|---|---|"]
    for written, shown, variable in options(name):
        cells = (f"`{written}`".replace("|", "\\|"), _escaped(shown), f"`{variable}`")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    """Return a text as a cell of a Markdown table, without characters that have a meaning there."""
    return text.replace("|", "\\|").replace("<", "\\<")


def described(command: click.Command) -> tuple[str, str]:
    """Return the words of a command's help, and its examples."""
    words, _, examples = (command.help or "").partition("\b\n")
    return words.strip(), examples.strip()


def man_page() -> str:
    """Return the man page of the program, with all commands."""
    words, examples = described(main)
    lines = [
        f'.TH RNNCLI 1 "" "rnncli {rnncli.__version__}" "User Commands"',
        ".nh\n.ad l",  # no hyphenation, so that words can be searched for and copied
        ".SH NAME",
        f"rnncli \\- {_roff(words[0].lower() + words[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B rnncli\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
        ".SH DESCRIPTION",
        _roff(words),
        ".PP\nResults go to standard output, everything else to standard error. Every option takes its default from",
        "the environment variable that is named beside it.",
        *_examples(examples),
        ".SH OPTIONS",
        ".TP\n.B \\-h, \\-\\-help\nShow what the program, or a command, can do.",
        ".TP\n.B \\-V, \\-\\-version\nShow the version.",
        ".SH COMMANDS",
    ]
    for name in COMMANDS:
        command = main.get_command(None, name)
        words, examples = described(command)
        usage = " ".join(param.make_metavar(click.Context(command)) for param in _arguments(command))
        lines += [f".SS rnncli {name} [OPTION]... {_roff(usage)}", _roff(words), *_examples(examples)]
        for written, shown, variable in options(name):
            lines += [".TP", f".B {_roff(written)}", f"{_roff(shown)} (\\fB{variable}\\fR)"]
    lines += [
        ".SH FILES",
        ".TP\n.I models/*.npz\nThe models of the current folder. Without \\-m and RNNCLI_MODEL, the newest is used.",
        ".SH EXIT STATUS",
        "0: done. 1: an error. 2: wrong usage. 129: the terminal was closed. 130: Ctrl\\-C. 141: the reader of a pipe",
        "has closed it. 143: ended by kill or timeout.",
    ]
    return "\n".join(lines) + "\n"


def _arguments(command: click.Command) -> list[click.Argument]:
    return [param for param in command.params if isinstance(param, click.Argument)]


def _examples(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [".PP", ".nf", ".RS", *map(_roff, lines), ".RE", ".fi"] if lines else []


def _roff(text: str) -> str:
    """Return the text in roff: with its paragraphs, and without characters that roff would obey."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    return "\n.PP\n".join(re.sub(r"^\.", "\\\\&.", paragraph) for paragraph in paragraphs)


def with_sessions(text: str) -> str:
    """Return a document with the outputs of its sessions up to date."""

    def session(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)", block[1], flags=re.MULTILINE)
        return "```console\n" + "".join(f"$ {command}\n{shown(command)}" for command in commands) + "```"

    return re.sub(r"```console\n(.*?)```", session, text, flags=re.DOTALL)


def shown(command: str) -> str:
    """Return what a command shows on a terminal of 80 columns, without its colours."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", draw.terminal(command))
    return re.sub(r" +$", "", plain, flags=re.MULTILINE)


def run_notebook(path: Path) -> dict:
    """Return a notebook with what its cells print. An error in a cell is raised."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    names: dict = {}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, 1):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile("".join(cell["source"]), f"{path.name}, cell {count}", "exec"), names)
        text = printed.getvalue().splitlines(keepends=True)
        cell["execution_count"] = count
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
    return notebook


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        path.write_text(with_sessions(path.read_text(encoding="utf-8")), encoding="utf-8")
    notebook = DOCS / "elman.ipynb"
    notebook.write_text(json.dumps(run_notebook(notebook), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw.PICTURE.write_text(draw.explain_picture(), encoding="utf-8")
