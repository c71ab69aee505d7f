"""Draws the README's picture: python docs/draw.py

Runs a command in a terminal, and draws what it shows as `docs/explain.svg`. Bars become rectangles and the text has a
fixed width, so that the picture looks the same with any font.
"""

import os
import re
import sys
from html import escape
from pathlib import Path

import pexpect
from rich.console import Console
from rich.style import Style
from rich.text import Text

PICTURE = Path(__file__).with_name("explain.svg")
PROMPT = "Mary is a slow walker, isn't"
COMMAND = f'rnncli predict --explain "{PROMPT}"'

BLOCKS = "▏▎▍▌▋▊▉█"  # an eighth of a cell, two eighths, ...
CELL_WIDTH = 8.4  # pixels
LINE_HEIGHT = 21
FONT_SIZE = 14
MARGIN = 18
COLOURS = {1: "#ff7b72", 2: "#7ee787", 6: "#79c0ff"}  # of the numbers of red, green and cyan
FOREGROUND = "#e6edf3"
FAINT = "#9198a1"
BACKGROUND = "#0d1117"
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def terminal(command: str, columns: int = 80) -> str:
    """Run a command in a terminal, and return all that it shows, with its colours."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RNNCLI_", "NO_COLOR"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment.update(TERM="xterm", COLUMNS=str(columns))
    shell = pexpect.spawn("bash", ["-c", command], cwd="/", encoding="utf-8", timeout=120, env=environment)
    shell.expect(pexpect.EOF)
    return str(shell.before).replace("\r\n", "\n")


def picture(command: str, output: str) -> str:
    """Draw a command and its output as SVG."""
    lines = [Text.assemble(("$ ", "dim"), (command, "bold")), *Text.from_ansi(output.rstrip("\n")).split("\n")]
    width = max(line.cell_len for line in lines) * CELL_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    shapes = [shape for row, line in enumerate(lines) for shape in _shapes(line, row)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}"'
        f' viewBox="0 0 {width:.0f} {height}" font-family="{FONTS}" font-size="{FONT_SIZE}">\n'
        f"<title>{escape(command)}</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _shapes(line: Text, row: int) -> list[str]:
    """The shapes of a line: a text for each word, and a rectangle for each bar."""
    found, column = [], 0
    console = Console(width=200, color_system="standard", force_terminal=True)
    for text, style, _ in line.render(console):
        for piece in re.findall(rf"[{BLOCKS}]+|[^ {BLOCKS}]+(?: [^ {BLOCKS}]+)*| +", text):
            if piece[0] in BLOCKS:
                found.append(_bar(piece, column, row, style or Style()))
            elif piece[0] != " ":
                found.append(_text(piece, column, row, style or Style()))
            column += len(piece)
    return found


def _bar(blocks: str, column: int, row: int, style: Style) -> str:
    eighths = sum(BLOCKS.index(block) + 1 for block in blocks)
    return (
        f'<rect x="{MARGIN + column * CELL_WIDTH:.1f}" y="{MARGIN + row * LINE_HEIGHT + 3}"'
        f' width="{eighths / 8 * CELL_WIDTH:.1f}" height="{LINE_HEIGHT - 6}" fill="{_colour(style)}"/>'
    )


def _text(text: str, column: int, row: int, style: Style) -> str:
    weight = ' font-weight="bold"' if style.bold else ""
    return (
        f'<text x="{MARGIN + column * CELL_WIDTH:.1f}" y="{MARGIN + (row + 0.72) * LINE_HEIGHT:.1f}"'
        f' textLength="{len(text) * CELL_WIDTH:.1f}" fill="{_colour(style)}"{weight}>{escape(text)}</text>'
    )


def _colour(style: Style) -> str:
    if style.dim:
        return FAINT
    return COLOURS.get(style.color.number, FOREGROUND) if style.color else FOREGROUND


def explain_picture() -> str:
    """The README's picture as the command shows it now, without the line on standard error."""
    return picture(COMMAND, terminal(f"{COMMAND} 2> /dev/null", columns=64))


if __name__ == "__main__":
    PICTURE.write_text(explain_picture(), encoding="utf-8")
