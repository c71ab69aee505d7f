import subprocess
import sys

import pytest


@pytest.fixture
def python(tmp_path):
    """Run a program in another Python, in an empty folder: what it prints. It fails where the program does."""

    def run(program: str, *arguments: object, **options) -> str:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout

    return run


@pytest.fixture
def start_python():
    """Start a program in another Python whose input and output are pipes. It is killed in the end."""
    started = []

    def start(program: str, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
