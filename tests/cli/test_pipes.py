"""Standard input and output: what a command reads when no text is named, and what `-` means."""

import pytest

ASK = ("--temperature", "0", "-n", "3")
PROMPTS = ["Tom is not good at science, so he", "Mary is good at music, so"]


def test_generate_continues_each_line_of_a_pipe_as_it_continues_a_prompt(invoke, model_file):
    alone = [invoke("generate", prompt, *ASK, "-m", model_file).stdout for prompt in PROMPTS]
    for named in ([], ["-"]):
        piped = invoke("generate", *named, *ASK, "-m", model_file, input="\n".join(PROMPTS))
        assert piped.stdout == "\n".join(alone)


def test_the_text_of_a_prompt_does_not_depend_on_the_prompts_before_it(invoke, model_file):
    ask = ("generate", "--seed", 7, "--samples", 2, "-n", 5, "-m", model_file)
    alone = [invoke(*ask, prompt).stdout for prompt in PROMPTS]
    assert invoke(*ask, input="\n".join(PROMPTS)).stdout == "\n".join(alone)


def test_generate_writes_from_nothing_where_the_pipe_is_empty(invoke, model_file):
    ask = ("generate", *ASK, "-m", model_file)
    assert invoke(*ask, input="").stdout == invoke(*ask, "").stdout != ""


def test_generate_in_a_terminal_does_not_wait_for_a_prompt(terminal, invoke, model_file):
    shown, status = terminal(f"rnncli generate --temperature 0 -n 3 -m {model_file}")
    assert (shown, status) == (invoke("generate", "", *ASK, "-m", model_file).stdout, 0)


def test_a_prompt_in_another_encoding_is_reported_and_the_others_are_continued(invoke, model_file):
    result = invoke("generate", *ASK, "-m", model_file, input=b"Tom is\nMary \xff\nTom is\n")
    first, second = result.stdout.split("\n\n")
    assert first == second.rstrip("\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: standard input, line 2: this is in another encoding: name it with --enc")
    alone = invoke("generate", *ASK, "-m", model_file, input=b"Mary \xff\n")
    assert (alone.exit_code, alone.stdout, alone.stderr.count("\n")) == (1, "", 1)
    assert invoke("generate", "--encoding", "latin-1", *ASK, "-m", model_file, input=b"Mary \xff\n").exit_code == 0


def test_predict_reads_prompts_for_a_dash(invoke, model_file):
    ask = ("predict", "-n", 2, "-m", model_file)
    assert invoke(*ask, "-", input="Tom is\nMary\n").stdout == invoke(*ask, input="Tom is\nMary\n").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("predict - Tom", "- reads the prompts from standard input: leave out the others."),
        ("predict - --adapt -", "--adapt - reads standard input: name the prompts in the command."),
        ("predict Tom --adapt - --adapt -", "- is standard input, which can be read once only"),
        ("evaluate - -", "- is standard input, which can be read once only"),
        ("train - --valid -", "- is standard input, which can be read once only"),
        ("train - -o -", "Invalid value for '-o': standard output gets the path of the model only: name a file."),
        ("train - --log -", "Invalid value for '--log': standard output gets the path of the model only"),
        ("train text.txt --init -", "Invalid value for '--init': a model is not read from standard input"),
        ("info -m -", "Invalid value for '-m': a model is not read from standard input"),
    ],
)
def test_a_dash_means_standard_input_or_output_or_is_refused(invoke, words, told):
    refused = invoke(*words.split(), input="")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1].startswith(f"Error: {told}")


@pytest.mark.parametrize(("command", "metavar"), [("evaluate", "TEXT"), ("train", "CORPUS")])
def test_without_a_text_one_line_says_where_one_is_taken_from(invoke, shell, terminal, command, metavar):
    empty = invoke(command, input="")
    told = "Error: standard input is empty: name a text, or pipe one in\n"
    assert (empty.exit_code, empty.stdout, empty.stderr) == (1, "", told)
    shown, status = terminal(f"rnncli {command}")
    assert (status, shown.splitlines()[-1]) == (2, f"Error: Missing argument '{metavar}': name a text, or pipe one in.")


def test_a_text_is_piped_into_a_command_that_names_none(invoke, shell, model_file, corpus_file, tmp_path):
    named = invoke("evaluate", "-", "-m", model_file, input=corpus_file.read_bytes()).stdout
    assert shell(f"cat {corpus_file} | rnncli evaluate -m {model_file}").stdout == named
    assert shell(f"rnncli evaluate -m {model_file} < {corpus_file}").stdout == named
    small = "--epochs 1 --hidden-size 4 -q"
    trained = shell(f"cat {corpus_file} | rnncli train {small} -o {tmp_path}/piped.npz")
    assert (trained.stdout, trained.returncode) == (f"{tmp_path}/piped.npz\n", 0)


def test_export_writes_to_standard_output_for_a_dash(invoke, model_file):
    assert invoke("export", "-o", "-", "-m", model_file).stdout == invoke("export", "-m", model_file).stdout


@pytest.mark.parametrize(
    ("prompts", "is_told"),
    [(["I", "am", "hungry"], True), (["I am", "hungry"], False), (["I am hungry"], False), (["hungry"], False)],
)
def test_a_prompt_of_several_words_without_quotes_is_noticed(invoke, model_file, prompts, is_told):
    result = invoke("predict", *prompts, "-m", model_file)
    assert len(result.stdout.split("\n\n")) == len(prompts)
    told = 'Warning: these are 3 prompts of one word; for a single prompt, write quotes: "I am hungry"\n'
    assert result.stderr.endswith(told) == is_told
    assert ("quotes" in result.stderr) == is_told
