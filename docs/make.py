"""Writes what the program itself says into its documents.

    python docs/make.py

In the pages of `docs/` the tables of options, which stand between two lines `<!-- options -->` and
`<!-- end of options -->`; the man page; and in every page and the README the outputs of the commands in blocks of
`console`, as a terminal of 80 columns shows them. And it runs the notebook, and writes down what its cells print.
"""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click

import rnncli
from rnncli.cli import COMMANDS, main

DOCS = Path(__file__).parent
BEGIN, END = "<!-- options -->", "<!-- end of options -->"


def pages() -> dict[Path, str]:
    """Every file that is written, and what should stand in it."""
    found = {DOCS / "rnncli.1": man_page()}
    for name in COMMANDS:
        command = main.get_command(None, name)
        path = DOCS / f"{name}.md"
        before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        found[path] = f"{before}{BEGIN}\n\n{table(command)}\n{END}{rest.partition(END)[2]}" if begin else before
    return found


def options(command: click.Command) -> list[tuple[str, str, str]]:
    """Of each option how it is written, what it does and the variable that sets its default."""
    found = []
    for option in command.params:
        if isinstance(option, click.Option):
            written = "/".join([", ".join(option.opts), *option.secondary_opts])
            if not option.is_flag:
                written += f" {_value(option)}"
            found.append((written, _help(option), option.envvar))
    return found


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return "|".join(option.type.choices)
    return option.metavar or {"integer range": "N", "number": "N", "float range": "X", "duration": "TIME"}.get(
        option.type.name, option.type.name.upper()
    )


def _help(option: click.Option) -> str:
    shown = option.help
    if option.show_default and option.default is not None:
        default = option.default
        if option.secondary_opts:
            default = (option.opts if default else option.secondary_opts)[0].lstrip("-")
        shown += f" [default: {default}]"
    return " ".join(shown.split())


def table(command: click.Command) -> str:
    """The options of a command in Markdown."""
    rows = ["| option | what it does | variable |", "|---|---|---|"]
    for written, shown, variable in options(command):
        cells = (f"`{written}`", shown, f"`{variable}`")
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def described(command: click.Command) -> tuple[str, str]:
    """The words of a command's help, and its examples."""
    words, _, examples = (command.help or "").partition("\b\n")
    return words.strip(), examples.strip()


def man_page() -> str:
    """The man page of the program, with all commands."""
    words, examples = described(main)
    lines = [
        f'.TH RNNCLI 1 "" "rnncli {rnncli.__version__}" "User Commands"',
        ".nh\n.ad l",  # words are whole, so that they can be searched for and copied
        ".SH NAME",
        f"rnncli \\- {_roff(words[0].lower() + words[1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B rnncli\n.I COMMAND\n[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...",
        ".SH DESCRIPTION",
        _roff(words),
        ".PP\nResults go to standard output, everything else to standard error. Every option takes its default from",
        "the variable of the environment that is named beside it.",
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
        for written, shown, variable in options(command):
            lines += [".TP", f".B {_roff(written)}", f"{_roff(shown)} (\\fB{variable}\\fR)"]
    lines += [
        ".SH FILES",
        ".TP\n.I models/*.npz\nThe models of the current folder, of which the newest is used where none is named.",
        ".SH EXIT STATUS",
        "0 when all is done, 1 after an error, 2 for wrong usage, 130 after Ctrl\\-C, 143 after a training",
        "that kill has ended, and 141 where the reader of a pipe wants no more.",
    ]
    return "\n".join(lines) + "\n"


def _arguments(command: click.Command) -> list[click.Argument]:
    return [param for param in command.params if isinstance(param, click.Argument)]


def _examples(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [".PP", ".nf", ".RS", *map(_roff, lines), ".RE", ".fi"] if lines else []


def _roff(text: str) -> str:
    """The text as roff takes it: paragraphs apart, and no character that it would obey."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    return "\n.PP\n".join(re.sub(r"^\.", "\\\\&.", paragraph) for paragraph in paragraphs)


def with_sessions(text: str) -> str:
    """A document with the outputs of its sessions made anew."""

    def session(block: re.Match[str]) -> str:
        commands = re.findall(r"^\$ (.*)", block[1], flags=re.MULTILINE)
        return "```console\n" + "".join(f"$ {command}\n{shown(command)}" for command in commands) + "```"

    return re.sub(r"```console\n(.*?)```", session, text, flags=re.DOTALL)


def shown(command: str) -> str:
    """What a command shows on a terminal of 80 columns, without its colours."""
    ours, theirs = pty.openpty()
    program = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "COLUMNS": "80", "PATH": program, "TERM": "xterm"}
    with subprocess.Popen(
        ["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment, cwd="/"
    ):
        os.close(theirs)
        output = b""
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            if not data:
                break
            output += data
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.decode()).replace("\r\n", "\n")
    return re.sub(r" +$", "", plain, flags=re.MULTILINE)


def run_notebook(path: Path) -> dict:
    """A notebook with what its cells print; an error in one of them is raised."""
    notebook, names = json.loads(path.read_text(encoding="utf-8")), {}
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
    for path in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        path.write_text(with_sessions(path.read_text(encoding="utf-8")), encoding="utf-8")
    notebook = DOCS / "elman.ipynb"
    notebook.write_text(json.dumps(run_notebook(notebook), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
