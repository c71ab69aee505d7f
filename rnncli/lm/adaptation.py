"""Dynamic evaluation: a network that goes on learning from the text it reads (Krause et al. 2018)."""

from collections.abc import Callable

import numpy as np

from ..nn.optimizers import clip_by_global_norm
from ..text.vocabulary import EOS_ID
from ..threads import one_thread
from .mixture import Mixture
from .network import Network

WINDOW = 20  # words that are read before the network learns from them
RATE, DECAY, CLIP = 0.25, 1e-3, 1.0  # chosen on validation texts: see benchmarks/README.md


class Learner:
    """A mixture whose network learns; the one that it is made from stays as it is.

    After each window of words a step of gradient descent goes down the loss of having foreseen them, and then a little
    of the way back to where the network began, so that it does not drift off.
    """

    def __init__(self, mixture: Mixture, rate: float = RATE, decay: float = DECAY):
        values = {name: parameter.value for name, parameter in mixture.network.named_parameters().items()}
        self.first, self.rate, self.decay = values, rate, decay
        network = Network(mixture.network.config, {name: value.copy() for name, value in values.items()})
        beginning = mixture.beginning
        self.mixture = Mixture(network, mixture.ngram, mixture.cache, mixture.shares, beginning)
        # The last word, and the network's state before it; of a text read before only the state after all is known.
        self.last = np.empty((0, 1), np.int32) if beginning else np.full((1, 1), EOS_ID)
        self.carried = beginning.network if beginning else network.blank(1)

    def learn(self, words: np.ndarray) -> None:
        """Learn from having foreseen the next `words` (T, 1) of a text; of one that goes on, but for its first word."""
        network = self.mixture.network
        inputs = np.concatenate([self.last, words[:-1]])
        self.last = words[-1:]
        if not len(inputs):
            return
        network.clear()
        _, self.carried, backward = network.loss(inputs, words[-len(inputs) :], self.carried)
        backward()
        parameters = network.named_parameters()
        if not np.isfinite(clip_by_global_norm(parameters, CLIP)):
            return  # a step in no direction would lead nowhere
        for name, parameter in parameters.items():
            grad, value = parameter.grad, parameter.value
            grad *= self.rate
            value -= grad
            np.subtract(self.first[name], value, out=grad)  # the way back
            grad *= self.decay
            value += grad


def adapted(mixture: Mixture, words: np.ndarray, progress: Callable[[float], object] = lambda share: None) -> Mixture:
    """The mixture after it has read, and learned from, the `words` (N,) of a text: it begins where that ended.

    Each window is read by the network as it was before it learned from that, as in a dynamic evaluation.
    `progress` is told which share of them is done, from 0 to 1, now and then.
    """
    learner = Learner(mixture)
    state = learner.mixture.start(1)
    with one_thread():
        for start in range(0, len(words), WINDOW):
            window = words[start : start + WINDOW, None]
            state = learner.mixture.read(window, state)
            learner.learn(window)
            progress(min(1.0, (start + WINDOW) / len(words)))
    return Mixture(learner.mixture.network, mixture.ngram, mixture.cache, mixture.shares, state)
