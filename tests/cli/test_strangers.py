"""Files, numbers and names that somebody sends who means no good, or knows no better."""

import gzip

import pytest

TEXT = "The cat sat on the mat.\nA dog ran to the old house.\n" * 10
QUICK = "--epochs 1 --hidden-size 4 --quiet -o out.npz"
HUGE = str(10**400)


@pytest.mark.usefixtures("posix")
@pytest.mark.parametrize("command", [f"train {{}} {QUICK}", "evaluate {}", "score {}", "predict The --adapt {}"])
def test_a_symbolic_link_that_leads_to_itself_is_told(shell, tmp_path, model_file, command):
    (tmp_path / "loop").symlink_to("loop")
    model = "" if command.startswith("train") else f" -m {model_file}"
    for path in ("loop", "loop/a.txt"):
        run = shell(f"rnncli {command.format(path)}{model}", cwd=tmp_path)
        assert run.returncode == 1
        assert run.stderr == f"Error: cannot read {path}: Too many levels of symbolic links\n"


def test_pipes_devices_and_broken_links_of_a_folder_are_passed_by(shell, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(TEXT, encoding="utf-8")
    links = "ln -s c c; ln -s nowhere d; ln -s /dev/zero e; ln -s . f"
    run = shell(f"cd texts && mkfifo b && {links}; cd .. && rnncli train texts {QUICK}", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "out.npz\n"), run.stderr


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (f"--epochs {HUGE}", "is no whole number from 1 to 1,000,000,000."),
        ("--hidden-size 99999999999999999999", "is no whole number from 1 to 100,000."),
        (f"--time {HUGE}h", "is no time: write a number and s, m or h, such as 90s, 10m or 1h30m."),
        ("--time 1e999s", "is no time: write a number and s, m or h, such as 90s, 10m or 1h30m."),
        (f"--seed {'9' * 5000}", "is no whole number from 0 on."),
        ("--lr 1e999", "--lr is inf, and must be a finite number above 0"),
        (f"--field {HUGE}", "there is no field 1"),
    ],
)
def test_a_number_that_no_computer_counts_to_is_refused(shell, tmp_path, option, told):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    run = shell(f"rnncli train a.txt {QUICK} {option}", cwd=tmp_path)
    assert run.returncode in (1, 2)
    assert told in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("option", ["--sentences", "--top-k", "--no-repeat", "--seed"])
def test_a_number_of_400_digits_is_as_good_as_none(shell, model_file, option):
    run = shell(f"rnncli generate Tom -m {model_file} -n 3 {option} {HUGE}")
    assert run.returncode == 0
    assert run.stdout.startswith("Tom ")


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31mred", "\udcff\udcfe", "x" * 251, "-x"])
def test_a_file_of_any_name_is_read_and_told_in_one_line(shell, tmp_path, name):
    path = tmp_path / f"{name}.txt"
    path.write_bytes(b"\xff\xfe\xfd")
    run = shell(f"rnncli train . {QUICK}", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert run.stderr.isprintable() is False
    assert run.stderr[:-1].isprintable()
    path.write_text(TEXT, encoding="utf-8")
    assert shell(f"rnncli train . {QUICK}", cwd=tmp_path).stdout == "out.npz\n"


def test_a_compressed_text_that_breaks_off_is_told(shell, tmp_path):
    whole = gzip.compress((TEXT * 50).encode())
    for name, data in {"cut": whole[:-9], "wrong": TEXT.encode(), "flipped": whole[:-5] + b"xxxxx"}.items():
        (tmp_path / f"{name}.txt.gz").write_bytes(data)
        run = shell(f"rnncli train {name}.txt.gz {QUICK}", cwd=tmp_path)
        assert run.returncode == 1
        assert run.stderr.startswith(f"Error: cannot read {name}.txt.gz: damaged (")


def test_zero_bytes_and_surrogates_in_prompts_are_answered(shell, tmp_path, model_file):
    (tmp_path / "prompts").write_bytes(b"Tom \0is\nTom \xed\xa0\x80\nTom is\n")
    run = shell(f"rnncli predict -m {model_file} -n 1 < prompts", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr.count("Error: ") == 1
    assert run.stdout.count("good\t") == 2
