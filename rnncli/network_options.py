"""The options that decide what a model file holds: apart from the others, as every command checks a file by them."""

from __future__ import annotations

from dataclasses import dataclass

from .declaration import BY_RULE, check, option

CELL_NAMES = ("lstm", "gru", "elman")
ACTIVATION_NAMES = ("tanh", "relu", "sigmoid")
MAX_NGRAM_ORDER = 20  # words
MAX_CACHE_WORDS = 10**6
MAX_NETWORKS = 16


@dataclass(frozen=True, repr=False, eq=False)
class NetworkOptions:
    """The shape of a network and its dropout. Raises `SettingError` for a value out of bounds."""

    cell: str = option("lstm", "The recurrent cell.", choices=CELL_NAMES, fixed_by_model=True)
    activation: str = option(
        "tanh", "The activation function of the Elman cell.", choices=ACTIVATION_NAMES, fixed_by_model=True
    )
    hidden_size: int = option(BY_RULE, "Units of a layer.", kind=int, low=1, high=10**5, fixed_by_model=True)
    embedding_size: int = option(
        BY_RULE, "Numbers in a word's vector.", kind=int, low=1, high=10**5, fixed_by_model=True
    )
    layers: int = option(1, "Recurrent layers.", low=1, high=100, fixed_by_model=True)
    tied: bool = option(
        True, "One table of words for input and output, or two.", off_flag="untied", fixed_by_model=True
    )
    dropout: float = option(
        BY_RULE,
        "The fraction of units hidden in training: of the inputs, between layers and before the output.",
        kind=float,
        low=0,
        high=1,
        high_open=True,
    )
    word_dropout: float = option(
        BY_RULE,
        "The fraction of the words of a step that are hidden in all their places.",
        kind=float,
        low=0,
        high=1,
        high_open=True,
    )
    recurrent_dropout: float = option(
        BY_RULE,
        "The fraction of the state that the recurrent weights do not see in a step.",
        kind=float,
        low=0,
        high=1,
        high_open=True,
    )

    def __post_init__(self) -> None:
        check(self)
