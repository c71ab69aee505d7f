"""Every option is declared once: the command line, the Python signatures and the checks are read from that."""

import inspect
import math
from dataclasses import asdict

import click
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import rnncli
from rnncli.declaration import Declaration, declarations, defaults
from rnncli.errors import SettingError, TextError
from rnncli.network_options import NetworkOptions
from rnncli.nn.cells import ACTIVATIONS, CELLS
from rnncli.nn.optimizers import OPTIMIZERS
from rnncli.nn.schedules import SCHEDULES
from rnncli.options import OPTION_CLASSES, TextOptions, TrainingOptions
from rnncli.text.formats import FORMATS, UNITS
from rnncli.text.tokenizers import TOKENIZERS
from rnncli.training.plan import Options, make_plan
from rnncli.training.recipe import RULES

DECLARED = declarations(*OPTION_CLASSES)
DEFAULTS = defaults(*OPTION_CLASSES)
every_option = pytest.mark.parametrize("name", DECLARED)


@pytest.fixture(scope="module")
def small_model(corpus_file):
    return rnncli.train(corpus_file, hidden_size=8, epochs=1, seed=7, clip=0.5, cache_size=30)


# Where the declarations are read.


@pytest.fixture(scope="module")
def train_command():
    from rnncli.cli.train import command

    return command


@every_option
def test_every_option_is_one_of_the_command_with_the_same_name_default_and_help(train_command, name):
    declared = DECLARED[name]
    (parameter,) = (found for found in train_command.params if found.name == (declared.flag or name))
    assert f"--{declared.flag or name}".replace("_", "-") in parameter.opts
    assert parameter.secondary_opts == ([f"--{declared.off_flag}"] if declared.off_flag else [])
    assert parameter.get_default(click.Context(train_command)) == (None if declared.is_optional else DEFAULTS[name])
    assert parameter.multiple == declared.repeatable
    if declared.by_rule:
        assert parameter.help == f"{declared.help}  [default: {RULES[name].text}]"
    else:
        assert parameter.help == declared.help
        is_shown = declared.kind is not bool or bool(declared.off_flag)
        is_shown = is_shown and not (declared.repeatable or declared.is_optional or DEFAULTS[name] == "")
        assert parameter.show_default == is_shown
    if declared.choices:
        assert tuple(parameter.type.choices) == declared.choices
    if isinstance(parameter.type, click.IntRange | click.FloatRange):
        bounds = (parameter.type.min, parameter.type.max)
        lowest = 1 if declared.is_optional else declared.low
        assert bounds == tuple(None if math.isinf(bound) else bound for bound in (lowest, declared.high))
        assert parameter.type.min_open == declared.low_open


def test_the_command_has_no_other_options_but_those_for_files(train_command):
    own = {"corpora", "output", "init", "log", "quiet"}
    own |= {"resume", "restart", "checkpoint_every", "keep_checkpoint", "cache_dir", "mpi_timeout"}
    named = {declared.flag or name for name, declared in DECLARED.items()}
    assert {parameter.name for parameter in train_command.params} - own == named


@pytest.mark.parametrize(("function", "own"), [(rnncli.train, []), (rnncli.start_training, ["resume"])])
def test_every_option_is_in_the_signature_of_the_functions(function, own):
    signature = inspect.signature(function).parameters
    assert list(signature) == ["sources", "init", *own, *DECLARED]
    for name, declared in DECLARED.items():
        assert signature[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert signature[name].default == DEFAULTS[name]
        assert signature[name].annotation == declared.annotation


def test_a_model_tells_every_option_that_it_was_trained_with(small_model):
    settings = small_model.about["settings"]
    assert list(settings) == list(declarations(TrainingOptions))
    given_options = {"seed": 7, "clip": 0.5, "cache_size": 30, "epochs": 1}
    assert {name: settings[name] for name in given_options} == given_options
    left_open = {name for name, value in settings.items() if value is None}
    assert left_open == {"time"}  # JSON has no number for a time without limit


@pytest.mark.parametrize(
    ("name", "registry"),
    [
        ("tokenizer", TOKENIZERS),
        ("unit", UNITS),
        ("read_as", FORMATS),
        ("cell", CELLS),
        ("activation", ACTIVATIONS),
        ("optimizer", OPTIMIZERS),
        ("schedule", SCHEDULES),
    ],
)
def test_the_choices_are_those_that_there_are(name, registry):
    assert set(DECLARED[name].choices) == set(registry)
    assert len(DECLARED[name].choices) == len(registry)
    assert DEFAULTS[name] in DECLARED[name].choices


def test_an_option_has_a_rule_exactly_where_it_may_be_left_open():
    left_open = {name for name, declared in DECLARED.items() if declared.by_rule}
    assert (
        set(RULES) - {"expected_epochs"} == left_open == {name for name, default in DEFAULTS.items() if default is None}
    )
    assert all(rule.text for rule in RULES.values())


# What the options decide.


def values(declared: Declaration) -> st.SearchStrategy:
    """Return a strategy for the values that an option can have, small ones of numbers."""
    if declared.choices:
        return st.sampled_from(declared.choices)
    if declared.kind is bool:
        return st.booleans()
    if declared.kind is int:
        return st.integers(int(declared.low), int(min(declared.high, declared.low + 50)))
    return st.floats(
        declared.low,
        min(declared.high, 1e9),
        exclude_min=declared.low_open,
        exclude_max=declared.high_open and declared.high <= 1e9,
    )


# Most values of these leave no text to learn, or do not go together.
NOT_DRAWN = {"encoding", "valid", "activation", "min_count", "max_vocab", "read_as", "field", "column", "chat"}
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "<unk>", "."]), min_size=1, max_size=8)
TEXTS = st.lists(WORDS, min_size=2, max_size=30).map(lambda lines: "\n".join(map(" ".join, lines)))
OPTIONS = st.fixed_dictionaries(
    {}, optional={name: values(declared) for name, declared in DECLARED.items() if name not in NOT_DRAWN}
)


@pytest.fixture(scope="module")
def text_file(tmp_path_factory):
    return tmp_path_factory.mktemp("options") / "text.txt"


@given(text=TEXTS, options=OPTIONS)
def test_in_a_plan_nothing_is_open_and_what_was_given_holds(text_file, text, options):
    text_file.write_text(text)
    try:
        plan, corpus = make_plan(Options.of(options), text_file)
    except TextError:
        reject()
    decided = asdict(plan.text) | asdict(plan.network) | asdict(plan.training)
    assert set(decided) == {*DECLARED, "vocabulary_size"}
    assert None not in decided.values()
    assert decided["vocabulary_size"] == len(corpus.vocabulary)
    for name, value in options.items():
        if name == "batch_size":
            assert 1 <= decided[name] <= value
        elif value != "auto":
            assert decided[name] == value
    assert decided["unit"] in ("line", "paragraph")


# What is refused.


@pytest.mark.parametrize("function", [rnncli.train, rnncli.start_training])
def test_a_wrong_name_is_told_with_the_nearest_right_one(function):
    with pytest.raises(SettingError, match=r"^no option is called 'hiden_size': did you mean hidden_size\?$"):
        function("x", hiden_size=3)
    with pytest.raises(
        SettingError, match=r"^no option is called 'qqq': the options are tokenizer, lowercase, .*cache_size$"
    ):
        function("x", qqq=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs is 0, and must be a whole number from 1 to 1,000,000,000"),
        ({"epochs": 1.5}, "epochs is 1.5, and must be a whole number from 1 to 1,000,000,000"),
        ({"epochs": True}, "epochs is True, and must be a whole number from 1 to 1,000,000,000"),
        ({"seed": 1.5}, "seed is 1.5, and must be a whole number from 0 on"),
        ({"threads": 0}, "threads is 0, and must be a whole number from 1 on"),
        ({"bptt": None}, "bptt is None, and must be a whole number from 1 on"),
        ({"time": "10m"}, "time is 10m, and must be a number of seconds above 0"),
        ({"time": 0}, "time is 0, and must be a number of seconds above 0"),
        ({"time": math.nan}, "time is nan, and must be a number of seconds above 0"),
        ({"clip": -1}, "clip is -1, and must be a finite number from 0 on"),
        ({"clip": math.inf}, "clip is inf, and must be a finite number from 0 on"),
        ({"weight_decay": math.nan}, "weight_decay is nan, and must be a finite number from 0 on"),
        ({"lr": 0}, "lr is 0, and must be a finite number above 0"),
        ({"lr": math.inf}, "lr is inf, and must be a finite number above 0"),
        ({"hidden_size": 0}, "hidden_size is 0, and must be a whole number from 1 to 100,000"),
        ({"layers": 101}, "layers is 101, and must be a whole number from 1 to 100"),
        ({"cache_size": 10**6 + 1}, "cache_size is 1000001, and must be a whole number from 0 to 1,000,000"),
        ({"ngram_order": -1}, "ngram_order is -1, and must be a whole number from 0 to 20"),
        ({"dropout": 1}, "dropout is 1, and must be a number from 0 on and below 1"),
        ({"word_dropout": -0.1}, "word_dropout is -0.1, and must be a number from 0 on and below 1"),
        ({"valid_fraction": 0}, "valid_fraction is 0, and must be a number above 0 and below 1"),
        ({"valid_fraction": 1.0}, "valid_fraction is 1.0, and must be a number above 0 and below 1"),
        ({"lowercase": 1}, "lowercase is 1, and must be True or False"),
        ({"prune": "yes"}, "prune is yes, and must be True or False"),
        ({"encoding": None}, "encoding is None, and must be a text"),
        ({"cell": None}, "cell is None, and must be a text"),
        ({"cell": "cnn"}, "no cell is called 'cnn': choose from lstm, gru, elman"),
        ({"tokenizer": "bpe"}, "no tokenizer is called 'bpe': choose from word, whitespace, char"),
        ({"unit": "page"}, "no unit is called 'page': choose from auto, line, paragraph"),
        ({"optimizer": "lion"}, "no optimizer is called 'lion': choose from adam, sgd"),
        ({"schedule": "linear"}, "no schedule is called 'linear': choose from cosine, step"),
        ({"softmax": "hierarchical"}, "no softmax is called 'hierarchical': choose from full, sampled"),
        ({"read_as": "pdf"}, "no read_as is called 'pdf': choose from auto, text, markdown, html, subtitles"),
        ({"field": -1}, "field is -1, and must be a whole number from 0 on"),
        ({"chat": True, "field": 2}, "chat=True and field=2 do not go together: choose one of them"),
        (
            {"column": "a b", "read_as": "html"},
            'column="a b" and read_as="html" do not go together: choose one of them',
        ),
        ({"activation": "relu"}, "activation=relu is for the elman cell; lstm has its own"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_before_the_text_is_read(options, message):
    with pytest.raises(SettingError) as refused:
        rnncli.start_training("there is no such file", **options)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(TextOptions, "min_count", 0), (NetworkOptions, "layers", 0), (TrainingOptions, "patience", 0)],
)
def test_every_option_class_refuses_such_a_value_by_itself(kind, name, value):
    with pytest.raises(SettingError, match=f"^{name} is 0, and must be a whole number from 1"):
        kind(**{name: value})
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        kind(nonsense=1)


@every_option
def test_a_model_that_is_gone_on_from_decides_its_own_options_and_no_others(small_model, name):
    declared = DECLARED[name]
    value = DEFAULTS[name] if DEFAULTS[name] is not None else {bool: True, str: "full"}.get(declared.kind, 0.5)
    if declared.kind is int:
        value = 7
    if declared.fixed_by_model:
        with pytest.raises(SettingError, match=f"^{name} does not go with init: the model has its own$"):
            rnncli.start_training("there is no such file", init=small_model, **{name: value})
    else:
        options = Options.of({name: value}, small_model)
        known = asdict(options.text) | asdict(options.network) | asdict(options.training)
        assert known[name] == value
        assert (known["hidden_size"], known["cell"], known["unit"]) == (8, "lstm", "auto")


def test_the_options_that_a_model_decides_are_its_words_and_its_shape():
    fixed = {name for name, declared in DECLARED.items() if declared.fixed_by_model}
    words = {"tokenizer", "lowercase", "unit", "max_vocab"}
    shape = {"cell", "activation", "hidden_size", "embedding_size", "layers", "tied", "networks"}
    assert fixed == words | shape
