"""Options of a training that do not go together."""

from __future__ import annotations

from typing import Any

from ..declaration import defaults
from ..options import OPTION_CLASSES
from .options import gives_way, named_in_command

MIN_PRUNED_ORDER = 3  # words: shorter n-grams are always kept


def without_clashes(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a training without those that others make meaningless.

    Two of them in the command are refused. One from the environment gives way: it gets its default.
    """
    default = defaults(*OPTION_CLASSES)
    kept = dict(options)
    because = "--samples is for --softmax sampled: leave out one of --softmax full and --samples."
    if options["softmax"] == "full" and gives_way("softmax", "samples", because=because):
        kept["softmax"] = default["softmax"]
    because = "--valid-fraction is for a training without --valid: leave out one of them."
    if options["valid"] and gives_way("valid", "valid_fraction", because=because):
        kept["valid"] = default["valid"]
    prune = "--prune" if options["prune"] else "--no-prune"
    order = f"{MIN_PRUNED_ORDER} or more"
    because = (
        f"{prune} is for n-grams of {MIN_PRUNED_ORDER} words or more: leave out {prune}, or set --ngram-order {order}."
    )
    if options["ngram_order"] < MIN_PRUNED_ORDER and gives_way("ngram_order", "prune", because=because):
        kept["ngram_order"] = default["ngram_order"]
    if options["cell"] != "elman" and not named_in_command("activation"):
        kept["activation"] = default["activation"]
    return kept
