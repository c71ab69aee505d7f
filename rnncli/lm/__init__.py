"""Language models: whatever gives P(next word | all words before), behind one interface.

    state = model.start(batch)                       before any word, at the beginning of a unit
    state = model.read(words, state)                 words (T, B), any T >= 1
    log_p = model.log_prob(state)                    (B, V), over all words, sums to one
    nll, state = model.score(words, state)           (T, B), each word given all words before it

The network, the n-gram model and the mixture of them, with the cache, that a model file holds are all read so. A
mixture tells besides what its parts do: `parts` are their names, and

    p, given, state = model.examine(words, state)    (T, B, V), what was expected before each word, and
                                                     (parts, T, B), what each part gave to it
    p = model.prob(state)                            (B, V), of every word to come next
    given = model.parts_at(model.here(state))        (parts, B, V), what each part gives to it

Words are numbers (see `rnncli.text.vocabulary`). A state is a value: it is never changed in place, so it can
be kept, shared by many continuations and compared.
"""

from typing import Any, Protocol

import numpy as np


class LanguageModel(Protocol):
    """The interface in types. `words` are (T, B), the state is the model's own affair."""

    def start(self, batch: int) -> Any: ...

    def read(self, words: np.ndarray, state: Any) -> Any: ...

    def log_prob(self, state: Any) -> np.ndarray: ...

    def score(self, words: np.ndarray, state: Any) -> tuple[np.ndarray, Any]: ...
