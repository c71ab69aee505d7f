"""What is known of the texts of a training after they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .reading import TextsRead


@dataclass(frozen=True)
class TextFacts:
    """What was read for a training, with the held-out part; of texts that were named for validation only `valid`."""

    read: TextsRead = field(default_factory=TextsRead)
    words: int = 0  # without the ends of units
    distinct_words: int = 0
    unknown: float = 0.0  # the fraction of the words of the training part that the vocabulary does not know
    valid: TextsRead = field(default_factory=TextsRead)  # the texts that were named for validation
    of_marks: tuple[str, ...] = ()  # warnings of marks in the text
    of_storage: tuple[str, ...] = ()  # warnings of folders that could not be written

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller is to be told, also of what was left out."""
        return (*self.read.warnings(), *self.of_marks, *self.valid.warnings(), *self.of_storage)

    def renamed(self, names: Mapping[str, str]) -> TextFacts:
        """Return the facts of the same texts in files with other names, which `names` gives for each of them."""
        return replace(self, read=self.read.renamed(names), valid=self.valid.renamed(names))

    @property
    def bytes(self) -> int:
        """How many bytes were read, of compressed files the uncompressed ones."""
        return sum(file.bytes for file in self.read.files)

    @property
    def units(self) -> int:
        """How many lines or paragraphs were read."""
        return sum(file.units for file in self.read.files)
