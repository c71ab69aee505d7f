"""Reads a text for a model, in the way in which that of its training was read."""

from __future__ import annotations

from collections.abc import Callable

from ..model import Model
from ..nn.threads import usable_cores
from ..text.columns import Store
from ..text.corpus import Sources, read_tokens
from ..text.formats import ReadOptions
from ..text.spacing import annotate
from ..text.vocabulary import Tokens


def tokens_for(
    model: Model,
    sources: Sources,
    encoding: str,
    warn: Callable[[str], object],
    measure: Callable[[str], None] = lambda text: None,
) -> Tokens:
    """Return the tokens of some texts. `warn` is told what was left out, `measure` is shown the text of each unit."""
    options = ReadOptions.of_text(model.about, model.unit, encoding)
    store = Store()
    read, tokens = read_tokens(sources, model.tokenizer, options, measure, store)
    if model.vocabulary.variants:
        tokens = annotate(tokens, model.detokenizer, store, threads=usable_cores())
    for warning in (*read.warnings(), *store.warnings):
        warn(warning)
    return tokens
