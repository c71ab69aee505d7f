"""What a training that goes on from a checkpoint may do otherwise than before, and what must be the same."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..declaration import Declaration, declarations, pick
from ..errors import SettingError, TextError
from ..model import Model
from ..nn.threads import processor_kind
from ..options import MAX_EPOCHS, OPTION_CLASSES, TextOptions, TrainingOptions
from ..text.corpus import Corpus, Sources
from ..text.reading import source_name
from ..version import __version__
from .checkpoint import Checkpoint, corpus_digests
from .plan import Options, Plan, absolute, init_digest, values_by_name

NO_LIMIT = {"epochs": MAX_EPOCHS, "time": math.inf}
NOT_COMPARED = ("valid",)  # paths: what they hold is part of the corpus, which is compared


def plan_to_resume(plan: Plan, given: Mapping[str, Any], sources: Sources) -> Plan:
    """Return the plan of a training that goes on. Options that are `given` again must be the same.

    They may be as they were given, or as they were decided. Raises `SettingError` for one that has changed, unless a
    training may go on with another value.
    """
    Options.of(given)  # checks names and values
    declared = declarations(*OPTION_CLASSES)
    own = values_by_name(plan.text, plan.network, plan.training)
    new = {name: value for name, value in given.items() if value is not None and name not in NOT_COMPARED}
    changed = [
        name
        for name, value in new.items()
        if value not in (own[name], plan.given[name]) and not declared[name].may_change
    ]
    if changed:
        before = ", ".join(_written(name, own[name], declared[name]) for name in changed)
        now = ", ".join(_written(name, new[name], declared[name]) for name in changed)
        them = "that" if len(changed) == 1 else "those"
        raise SettingError(f"the training began with {before}, not {now}: leave {them} out, or add restart=True")
    may_change = {name: value for name, value in new.items() if declared[name].may_change}
    training = replace(plan.training, **may_change, **_lifted(plan.training, new))
    valid = absolute(given.get("valid") or plan.text.valid)
    return replace(
        plan,
        text=replace(plan.text, valid=valid),
        training=training,
        given=plan.given | {"valid": valid},
        sources=absolute(sources),
    )


def _lifted(training: TrainingOptions, new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limit that ends where the other one, alone, is given anew."""
    given = [name for name in NO_LIMIT if name in new]
    if len(given) != 1 or new[given[0]] in (getattr(training, given[0]), NO_LIMIT[given[0]]):
        return {}
    return {name: limit for name, limit in NO_LIMIT.items() if name not in given}


def _written(name: str, value: Any, declaration: Declaration) -> str:
    """Write an option as in Python, with double quotes; a flag that no other one turns off as one that is missing."""
    if value is False and not declaration.off_flag:
        return f"no {name}=True"
    return f"{name}={json.dumps(value) if isinstance(value, str) else value}"


def given_text(plan: Plan) -> TextOptions:
    """Return the options of the text of a plan as they were given."""
    return TextOptions(**pick(plan.given, TextOptions))


def check_init(plan: Plan, init: Model | None) -> None:
    """Raise `SettingError` for another model to go on from than a training had.

    The training itself may have written its own model in the place of that one.
    """
    if plan.is_fine_tuning != (init is not None):
        began = "from a model: name it with init=MODEL" if init is None else "without a model: leave init=MODEL out"
        raise SettingError(f"the training began {began}")
    if init and plan.init_sha256 not in (init_digest(init), init.about.get("init_sha256")):
        raise SettingError("the training began from another model: name that one with init=MODEL, or add restart=True")


def check_corpus(kept: Checkpoint, plan: Plan, corpus: Corpus) -> None:
    """Raise `TextError` where a training would go on with another corpus."""
    found = corpus_digests(corpus)
    if found["text"] != kept.corpus["text"]:
        raise _other_text(plan.sources, kept.plan.sources)
    if found != kept.corpus:
        raise _other_text(plan.text.valid, kept.plan.text.valid)


def _other_text(now: Sequence[str], before: Sequence[str]) -> TextError:
    names, old_names = (" and ".join(map(source_name, sources)) for sources in (now, before))
    if now == before:
        return TextError(f"{names} has changed since the training began: bring back that text, or add restart=True")
    return TextError(
        f"{names} is not the text that the training began with, {old_names}: name that one, or add restart=True"
    )


def nothing_left(epochs: float, seconds: float) -> SettingError:
    """Return the error of a training that has no more to do, and would only replace its model."""
    return SettingError(
        f"the training has already read the text {epochs:.1f} times, in {seconds:.0f} seconds: to go on, give it more"
        " with epochs=N or time=TIME"
    )


def environment(threads: int, ranks: int = 1) -> dict[str, str]:
    """Return what the last digits of a result depend on; `threads` are those of each of the ranks."""
    return {
        "rnncli": f"rnncli {__version__}",
        "numpy": f"NumPy {np.__version__}",
        "python": f"Python {'.'.join(platform.python_version_tuple()[:2])}",
        "processor": f"a processor of the kind {processor_kind()}",
        "threads": f"threads={threads}{f' on each of {ranks} ranks' if ranks > 1 else ''}",
    }


def differences(kept: Checkpoint, threads: int, ranks: int = 1) -> list[str]:
    """Say what differs here from where a training ran before, so that its result may differ in the last digits."""
    told = []
    for name, here in environment(threads, ranks).items():
        others = dict.fromkeys(ran[name] for ran in kept.state.environments if ran[name] != here)
        if others:
            told.append(
                f"the training ran with {' and '.join(others)}, and goes on with {here}: the last digits of the"
                " model may differ"
            )
    return told
