"""The kinds of parts that a model can hold, in the order in which they stand in a mixture."""

from .interface import Part
from .voice import KINDS, FirstVoice, SecondVoice

PART_KINDS: list[type[Part]] = [*KINDS, FirstVoice, SecondVoice]
