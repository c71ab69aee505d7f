"""Learns texts in seconds, into the personal part of a model, and forgets them again."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TypeVar

from ..errors import SettingError, TextError, shortened
from ..learned import after_learning, before_learning, tuning_of
from ..lm.personal import MAX_TEXTS, LearnedText
from ..model import Model
from ..text.corpus import Sources
from ..text.reading import STDIN, listed, source_name
from ..text.reserved import unit_segments
from ..text.spacing import annotate
from ..text.vocabulary import EOS_ID, Tokens
from .texts import tokens_for

TYPED = "typed"  # the name of the text of all lines that were learned as they were written
FROM_STDIN = "stdin"  # the name of a text from standard input; of further ones stdin-2, ...
NOT_OF_FILES = re.compile(rf"{TYPED}|{FROM_STDIN}(-\d+)?")
M = TypeVar("M", bound=Model)


def learn(
    model: M,
    sources: Sources,
    encoding: str = "utf-8",
    *,
    day: str | None = None,
    warn: Callable[[str], object] = lambda warning: None,
) -> M:
    """Return a model that has learned the texts in `sources` besides those before; `model` stays as it is.

    Each source is a text by itself, with its name and the `day` (by default today, as YYYY-MM-DD). The new version of a
    text that was learned under the same name takes its place. `warn` is told what was left out.
    """
    base, texts = before_learning(model)
    day = day or date.today().isoformat()
    learned = {text.name: text for text in texts}
    for source in listed(sources):
        tokens = tokens_for(base, [source], encoding, warn)
        if tokens.words() == 0:
            raise TextError(f"{source_name(source)} holds no word to learn")
        text = LearnedText.of(_free_name(source, learned), day, tokens)
        if (old := learned.get(text.name)) and old.sha256 != text.sha256:
            warn(f"the new version of {text.name} takes the place of the one that was learned on {old.date}")
        learned[text.name] = text
    if len(learned.keys() - {TYPED}) > MAX_TEXTS:
        raise SettingError(f"a model learns {MAX_TEXTS:,} texts at most: learn a folder of them as one")
    return after_learning(base, list(learned.values()))


def _free_name(source: str | Path, learned: Container[str]) -> str:
    """Return the name of a text: that of its file; each one from standard input has a name of its own."""
    if source != STDIN:
        return _file_name(source)
    numbered = (FROM_STDIN if number == 1 else f"{FROM_STDIN}-{number}" for number in itertools.count(1))
    return next(name for name in numbered if name not in learned)


def _file_name(path: str | Path) -> str:
    """Return the name of a text in a file: its path, never one of those that are for other texts."""
    name = os.path.normpath(path)
    return os.path.join(os.curdir, name) if NOT_OF_FILES.fullmatch(name) else name


def learn_lines(model: M, lines: Iterable[str], *, day: str | None = None, tuned: bool = True) -> M:
    """Return a model that has learned some lines that a person wrote, besides those before; `model` stays as it is.

    They all make one text, which is called `TYPED`. Unless the weights are to be `tuned`, they stay as they are, which
    takes a tenth of the time.
    """
    base, texts = before_learning(model)
    units = [unit for line in lines if (unit := _words(base, line))]
    if not units:
        return model
    typed = [text for text in texts if text.name == TYPED]
    units = [*(unit for text in typed for unit in _units(text.tokens)), *units]
    text = LearnedText.of(TYPED, day or date.today().isoformat(), Tokens.from_units(units))
    others = [other for other in texts if other.name != TYPED]
    return after_learning(base, [*others, text], None if tuned else tuning_of(model))


def _words(model: Model, line: str) -> list[str]:
    """Return the words of a line, marks with notes on their spaces as the model's vocabulary has them."""
    tokens = Tokens.from_segments([unit_segments(model.tokenizer, line)])
    if model.vocabulary.variants:
        tokens = annotate(tokens, model.detokenizer)
    return [tokens.types[number] for number in tokens.ids[:-1].tolist()]


def _units(tokens: Tokens) -> list[list[str]]:
    """Return the words of each unit of a text."""
    units: list[list[str]] = [[]]
    for number in tokens.ids.tolist():
        if number == EOS_ID:
            units.append([])
        else:
            units[-1].append(tokens.types[number])
    return [unit for unit in units if unit]


def forget(model: M, names: Sequence[str] | None = None) -> M:
    """Return a model that answers as if it had never learned the texts of these `names`; none at all by default.

    Raises `SettingError` for a name of a text that was not learned.
    """
    base, texts = before_learning(model)
    if names is None:
        return base
    forgotten = {_found(name, texts) for name in names}
    return after_learning(base, [text for text in texts if text.name not in forgotten])


def _found(name: str, texts: Iterable[LearnedText]) -> str:
    """Return the name of the text that is meant: by its whole name, or else by that of its file, without a folder."""
    names = [text.name for text in texts]
    if name in names:
        return name
    if (of_file := _file_name(name)) in names:
        return of_file
    same_file = [other for other in names if Path(other).name == name]
    if len(same_file) == 1:
        return same_file[0]
    known = ", ".join(map(shortened, same_file or names)) or "nothing"
    if same_file:
        raise SettingError(f"{len(same_file)} texts called {shortened(name)} were learned: name one of {known}")
    raise SettingError(f"no text called {shortened(name)} was learned: the model has learned {known}")
