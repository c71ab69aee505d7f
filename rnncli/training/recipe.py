"""What a training does where nothing else is said: rules by the amount of text and of time.

The more often a text can be read in the time, the more must be hidden from the network, lest it learns the text by
heart; and the more time there is, the larger a network pays. `benchmarks/README.md` tells what was measured.
"""

SMALL, MIDDLE, LARGE = 256, 384, 512  # units of a layer
USUAL = 600.0  # seconds that a training takes
ENOUGH, LONG = 600.0, 1800.0  # seconds, from which on there is time for a network of middle size, and for a large one,
MUCH = 500_000  # if there are so many words to learn
PACE = 3_300_000  # words a second times units, roughly, on two slow cores
OFTEN, VERY_OFTEN = 5, 15  # readings of a text
WINDOWS = 10  # that a stream of a text has at least
PRUNED = 5_000_000  # words; of a longer text n-grams that occurred once are left out
LATE, LATE_SAMPLES = 0.5, 3000  # of a training: from there on a sampled softmax draws so many words at least


def hidden_size(words: int, seconds: float | None) -> int:
    """How many units a layer has, for so many words of text and so much time (None where only epochs are counted)."""
    if words < MUCH or (seconds or 0) < ENOUGH:
        return SMALL
    return MIDDLE if seconds < LONG else LARGE


def most_epochs(words: int) -> int:
    """How often so many words of text are read at most, where there is time: few words are soon known by heart."""
    return 20 if words < MUCH else 40


def readings(words: int, hidden_size: int, seconds: float | None, epochs: int | None) -> float:
    """How often the text will be read, roughly: in the time, or as was said."""
    most = epochs or most_epochs(words)
    return min(most, seconds * PACE / hidden_size / max(1, words)) if seconds else most


def embedding_size(hidden_size: int) -> int:
    """How many numbers a word's vector has: each word that the softmax is over costs as much as they are."""
    return min(hidden_size, SMALL)


def batch_size(hidden_size: int) -> int:
    """How many streams are read in parallel: the more, the faster, but the fewer steps."""
    return 20 if hidden_size <= SMALL else 40


def most_streams(words: int, bptt: int) -> int:
    """How many streams so many words of text are cut into at most, where a step reads `bptt` words of each."""
    return max(1, words // (WINDOWS * bptt))


def samples(hidden_size: int) -> int:
    """How many words a sampled softmax draws in a step, before it is `LATE`: what it misses shows only then."""
    return 500 if hidden_size < LARGE else 1000


def softmax(vocabulary_size: int, samples: int) -> str:
    """Whether a step weighs its words against all that are known, or against so many samples."""
    return "sampled" if vocabulary_size > 2 * samples else "full"


def learning_rate(optimizer: str, cell: str, fine_tuning: bool) -> float:
    """The peak of the learning rate: lower for an Elman cell, and for a network that has learned already."""
    if optimizer == "sgd":
        return 1.0
    return 1e-3 if cell == "elman" or fine_tuning else 4e-3


def prunes(words: int) -> bool:
    """Whether n-grams of three words and more that occurred once are left out, for so many words of text."""
    return words > PRUNED


def dropouts(words: int, hidden_size: int, seconds: float | None, epochs: int | None) -> dict[str, float]:
    """What shares of the units, of the words and of the recurrent weights are hidden."""
    often = readings(words, hidden_size, seconds, epochs)
    all_kinds = hidden_size >= LARGE and often >= OFTEN
    return {
        "dropout": 0.5 if often >= VERY_OFTEN else 0.35 if often >= OFTEN else 0.2,
        "word_dropout": 0.1 if all_kinds else 0.0,
        "recurrent_dropout": 0.3 if all_kinds else 0.0,
    }
