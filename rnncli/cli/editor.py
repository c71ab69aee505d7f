"""The line editor of `rnncli type`, built on prompt_toolkit, which the extra `type` installs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import create_input
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.key_binding.defaults import load_key_bindings
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import create_output
from prompt_toolkit.utils import get_cwidth

from .output import escape_controls

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding.key_processor import KeyPressEvent

    from ..tasks.predict import Prediction
    from ..tasks.suggest import Suggester


def edit(suggester: Suggester, text: str = "") -> str:
    """Let the user edit a line that begins with `text`, and return it. Raises `KeyboardInterrupt` on Ctrl-C.

    It draws on standard error, so that standard output is free for the line.
    """
    line = Line(suggester, text)
    application: Application[str] = Application(
        layout=Layout(
            HSplit(
                [
                    Window(BufferControl(line.buffer), wrap_lines=True, dont_extend_height=True),
                    Window(FormattedTextControl(line.menu), height=suggester.n, dont_extend_height=True),
                    Window(FormattedTextControl(line.keys_saved), height=1, style="class:saved"),
                ]
            )
        ),
        key_bindings=merge_key_bindings([load_key_bindings(), line.key_bindings()]),
        input=create_input(always_prefer_tty=True),
        output=create_output(sys.stderr),
        erase_when_done=True,
    )
    return application.run()


class Line:
    """A line that is being edited, the words on offer, and the number of keys pressed."""

    def __init__(self, suggester: Suggester, text: str):
        self.suggester = suggester
        self.keys_pressed = 0
        self.initial_length = len(text)
        self.buffer = Buffer(document=Document(text, len(text)), multiline=False, on_text_changed=self._count_key)
        self._offers: list[Prediction] = []
        self._offers_after: str | None = None  # the text that the offers are for
        self._spaced: str | None = None  # the text before the cursor when a word was accepted, with the space after it

    def _count_key(self, buffer: Buffer) -> None:
        self.keys_pressed += 1  # a key, or a paste

    def offers(self) -> list[Prediction]:
        """The words on offer after the text before the cursor."""
        text = self.buffer.document.text_before_cursor
        if self._offers_after != text:
            self._offers = self.suggester.suggest(text)
            self._offers_after = text
        return self._offers

    def menu(self) -> StyleAndTextTuples:
        """The words on offer, to be drawn under the cursor."""
        column = get_cwidth(self.buffer.document.current_line_before_cursor)
        rows = [(f"{place} ", escape_controls(word), f" {p:.0%}") for place, (word, p) in enumerate(self.offers(), 1)]
        width = max(1, get_app().output.get_size().columns)
        longest = max((get_cwidth("".join(row)) for row in rows), default=0)
        indent = max(0, min(column % width, width - longest - 1))
        fragments: StyleAndTextTuples = []
        for number, word, probability in rows:
            fragments += [("", " " * indent), ("bold", number), ("", word), ("italic", probability), ("", "\n")]
        return fragments

    def keys_saved(self) -> str:
        """How many keys were pressed for how many letters."""
        letters = len(self.buffer.text) - self.initial_length
        saved = f": {1 - self.keys_pressed / letters:.0%} saved" if letters > self.keys_pressed else ""
        return f"{self.keys_pressed} keys for {max(letters, 0)} letters{saved}"

    def accept(self, number: int) -> None:
        """Replace the half-typed word by the word on offer with this number, from 0."""
        if number < len(self.offers()):
            document = self.buffer.document
            word = self.offers()[number].word
            before, after = self.suggester.accept(document.text_before_cursor, word, document.text_after_cursor)
            self.buffer.document = Document(before + after, len(before))
            self._spaced = before if before.endswith(" ") else None

    def stands_after_own_space(self) -> bool:
        """Whether the cursor is after the space that came with an accepted word."""
        return self._spaced is not None and self._spaced == self.buffer.document.text_before_cursor

    def type_after_own_space(self, typed: str) -> None:
        """Type or paste characters. The first takes the space's place, if it is one, or is joined to the word."""
        document = self.buffer.document
        before = document.text_before_cursor
        self._spaced = None
        if typed.startswith(" ") or (typed and self.suggester.joins(before.rstrip(), typed[0])):
            before = before.rstrip()
        self.buffer.document = Document(before + typed + document.text_after_cursor, len(before + typed))

    def key_bindings(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("tab")
        def _(event: KeyPressEvent) -> None:
            self.accept(0)

        for number in range(self.suggester.n):
            self._bind_digit(keys, number)

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            event.app.exit(result=self.buffer.text.rstrip())

        @keys.add(Keys.Any, filter=Condition(self.stands_after_own_space))
        def _(event: KeyPressEvent) -> None:
            self.type_after_own_space(event.data)

        @keys.add(Keys.BracketedPaste, filter=Condition(self.stands_after_own_space))
        def _(event: KeyPressEvent) -> None:
            self.type_after_own_space(event.data.replace("\r\n", "\n").replace("\r", "\n"))

        @keys.add("c-c")
        @keys.add("c-d", filter=Condition(lambda: not self.buffer.text))  # else it deletes, as in a shell
        def _(event: KeyPressEvent) -> None:
            event.app.exit(exception=KeyboardInterrupt)

        return keys

    def _bind_digit(self, keys: KeyBindings, number: int) -> None:
        @keys.add(str(number + 1), filter=Condition(lambda: number < len(self.offers())))
        def _(event: KeyPressEvent) -> None:
            self.accept(number)
