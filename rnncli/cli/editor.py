"""The line that `rnncli type` edits, by prompt_toolkit, which is in the extra `type`."""

import sys

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import create_output
from prompt_toolkit.utils import get_cwidth

from .output import visible


def edit(suggester, text: str = "") -> str:
    """Let the user edit a line that begins with `text`, and return it. Raises `KeyboardInterrupt` on Ctrl-C.

    The terminal is drawn on by standard error, so that standard output is free for the line.
    """
    line = _Line(suggester, text)
    application: Application[str] = Application(
        layout=Layout(
            HSplit(
                [
                    Window(BufferControl(line.buffer), wrap_lines=True, dont_extend_height=True),
                    Window(FormattedTextControl(line.offered), height=suggester.n, dont_extend_height=True),
                    Window(FormattedTextControl(line.saved), height=1, style="class:saved"),
                ]
            )
        ),
        key_bindings=merge_key_bindings([load_key_bindings(), line.keys()]),
        input=create_input(always_prefer_tty=True),
        output=create_output(sys.stderr),
        erase_when_done=True,
    )
    return application.run()


class _Line:
    """The line, what is offered for it, and the keys it took."""

    def __init__(self, suggester, text: str):
        self.suggester, self.pressed, self.given = suggester, 0, len(text)
        self.buffer = Buffer(document=Document(text, len(text)), multiline=False, on_text_changed=self._press)
        self._offers: tuple[str | None, list] = None, []  # of which text

    def _press(self, buffer: Buffer) -> None:
        self.pressed += 1  # a key, or what was pasted at once

    def offers(self) -> list:
        """The words on offer for what stands before the cursor."""
        text = self.buffer.document.text_before_cursor
        if self._offers[0] != text:
            self._offers = text, self.suggester.offer(text)
        return self._offers[1]

    def offered(self) -> list[tuple[str, str]]:
        """What stands under the cursor."""
        column = get_cwidth(self.buffer.document.current_line_before_cursor)
        rows = [(f"{place} ", visible(word), f" {p:.0%}") for place, (word, p) in enumerate(self.offers(), 1)]
        width = max(1, get_app().output.get_size().columns)
        longest = max((get_cwidth("".join(row)) for row in rows), default=0)
        indent = max(0, min(column % width, width - longest - 1))
        return [
            fragment
            for number, word, chance in rows
            for fragment in (("", " " * indent), ("bold", number), ("", word), ("italic", chance), ("", "\n"))
        ]

    def saved(self) -> str:
        """How many keys the line took, and would have taken."""
        letters = len(self.buffer.text) - self.given
        share = f": {1 - self.pressed / letters:.0%} saved" if letters > self.pressed else ""
        return f"{self.pressed} keys for {max(letters, 0)} letters{share}"

    def accept(self, number: int) -> None:
        """Let the offered word take the place of what is half typed."""
        if number < len(self.offers()):
            line, word = self.buffer.document, self.offers()[number].word
            before, after = self.suggester.accepted(line.text_before_cursor, word, line.text_after_cursor)
            self.buffer.document = Document(before + after, len(before))

    def keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("tab")
        def _(event) -> None:
            self.accept(0)

        for number in range(self.suggester.n):

            @keys.add(str(number + 1), filter=Condition(lambda number=number: number < len(self.offers())))
            def _(event, number=number) -> None:
                self.accept(number)

        @keys.add("enter")
        def _(event) -> None:
            event.app.exit(result=self.buffer.text.rstrip())

        @keys.add("c-c")
        @keys.add("c-d", filter=Condition(lambda: not self.buffer.text))  # else it deletes, as in a shell
        def _(event) -> None:
            event.app.exit(exception=KeyboardInterrupt)

        return keys
