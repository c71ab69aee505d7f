"""The kinds of parts that a model can hold, in the order in which they stand in a mixture."""

from .cache import Cache
from .ensemble import Ensemble
from .interface import Part
from .ngram import NGram
from .ngram_beside import BaseNGram
from .personal import Personal
from .voice import FirstVoice, SecondVoice

PART_KINDS: list[type[Part]] = [Ensemble, NGram, BaseNGram, Personal, Cache, FirstVoice, SecondVoice]
