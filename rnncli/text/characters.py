"""Kinds of characters, as the ranges of a regular expression's character class: first character, hyphen, last one."""

from functools import lru_cache

# Scripts without spaces between words: Thai and Lao, Myanmar, Khmer, kana, and the Han characters.
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eba\u0ebc-\u0ecd\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
UNSPACED_PUNCTUATION = "\u3000-\u303f\uff00-\uff65"
PICTOGRAPHS = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

SPECIAL_SPACES = "\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"  # not the plain one


def ranges(characters: str) -> list[str]:
    """The ranges of a character class, such as a-z, one by one."""
    return [characters[start : start + 3] for start in range(0, len(characters), 3)]


def is_unspaced(token: str) -> bool:
    """Whether a token begins with a character of a script that puts no space between words."""
    return not token.isascii() and _is_unspaced(token[0])


@lru_cache(2**16)
def _is_unspaced(character: str) -> bool:
    return any(span[0] <= character <= span[2] for span in ranges(UNSPACED + UNSPACED_PUNCTUATION))
