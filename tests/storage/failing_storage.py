"""Write to file systems that fail: python tests/storage/failing_storage.py

Needs Linux, root, and `unshare` of util-linux: the script mounts small file systems in a name space of its own, which
ends with it. Each case writes a file where it cannot be written, and prints what was said. It fails where the last good
file is not as it was, where a draft is left, or where the message names neither the reason nor the places.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rnncli.errors import RnncliError
from rnncli.storage.archive import write_arrays
from rnncli.storage.atomic import CHECKPOINT, MODEL, check_writable, write_whole
from rnncli.storage.fallback import write_somewhere
from rnncli.storage.locks import locked

IN_NAMESPACE = "RNNCLI_TEST_NAMESPACE"
NOBODY = 65534
MB = 2**20
GOOD = {"a": np.arange(9)}
LARGE = {"a": np.arange(4 * MB, dtype=np.uint8)}
TEXT = "The cat slept. The dog barked. A bird sang, and nobody came to the door.\n" * 400
failures: list[str] = []


def write(arrays: dict[str, np.ndarray]) -> Callable:
    return lambda file: write_arrays(file, arrays)


def mount(folder: Path, options: str) -> Path:
    """Mount a file system in memory, writable by all, with a good file in it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    folder.chmod(0o777)
    write_whole(folder / "model.npz", write(GOOD))
    os.chown(folder / "model.npz", NOBODY, NOBODY)
    return folder


def files_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def check(name: str, attempt: Callable[[], object], *told: str, folders: list[Path]) -> None:
    """Run an attempt that fails, and see what it says, and that the folders are as before."""
    before = {folder: [(path, (folder / path).read_bytes()) for path in files_in(folder)] for folder in folders}
    try:
        attempt()
        message = "nothing failed"
    except RnncliError as error:
        message = str(error)
    after = {folder: [(path, (folder / path).read_bytes()) for path in files_in(folder)] for folder in folders}
    is_fine = before == after and "\n" not in message and all(text in message for text in told)
    report(name, is_fine, message)


def report(name: str, is_fine: bool, message: str) -> None:
    print(f"{'ok' if is_fine else 'FAILED':7}{name}: {message}", flush=True)
    if not is_fine:
        failures.append(name)


def as_nobody(attempt: Callable[[], object]) -> Callable[[], None]:
    """Run an attempt as a user without rights, whom quotas bind."""

    def run() -> None:
        os.seteuid(NOBODY)
        try:
            attempt()
        finally:
            os.seteuid(0)

    return run


def check_no_space(base: Path) -> None:
    full = mount(base / "full", "size=1m")
    also = mount(base / "also full", "size=1m")
    path = full / "model.npz"
    reason = "No space left on device"
    check("no space", lambda: write_whole(path, write(LARGE)), f"cannot write {path}: {reason}", folders=[full])
    tempfile.tempdir = str(also)
    os.environ["HOME"] = str(full)
    os.chdir(also)
    places = [f"cannot write {path}", str(also / "rnncli-"), str(full / "rnncli-")]
    attempt = lambda: write_somewhere(path, write(LARGE), CHECKPOINT, ".checkpoint.npz")  # noqa: E731
    check("no space anywhere", attempt, *places, reason, folders=[full, also])
    home = base / "home"
    home.mkdir()
    os.environ["HOME"] = str(home)
    found = attempt().path
    report("no space but at home", found.parent == home and files_in(full) == ["model.npz"], str(found))
    os.chdir(base)
    tempfile.tempdir = None
    check_no_inodes(base)


def check_no_inodes(base: Path) -> None:
    folder = mount(base / "no inodes", "size=9m,nr_inodes=2")
    path = folder / "model.npz"
    check("no inodes", lambda: check_writable(path, MODEL), "No space left on device", folders=[folder])
    with locked(path, "output"):
        report("no inodes for a lock", files_in(folder) == ["model.npz"], "no lock, and no error")


def check_read_only(base: Path) -> None:
    folder = mount(base / "read-only", "size=1m")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    path = folder / "model.npz"
    told = f"cannot write {path}: Read-only file system"
    check("read-only", lambda: write_whole(path, write(GOOD)), told, folders=[folder])
    with locked(path, "output"):
        check("read-only, asked before", lambda: check_writable(path, MODEL), told, folders=[folder])


def check_full_meanwhile(base: Path) -> None:
    folder = mount(base / "full meanwhile", "size=9m")
    path = folder / "model.npz"

    def write_and_remount(file) -> None:
        write_arrays(file, LARGE)
        subprocess.run(["mount", "-o", "remount,size=4200k", str(folder)], check=True)
        file.write(bytes(MB))

    check("full meanwhile", lambda: write_whole(path, write_and_remount), "No space left", folders=[folder])


def check_quota(base: Path) -> None:
    try:
        folder = mount(base / "quota", "size=9m,usrquota,usrquota_block_hardlimit=1m")
    except subprocess.CalledProcessError:
        print("       quota: this kernel has none for tmpfs")
        return
    path = folder / "model.npz"
    attempt = as_nobody(lambda: write_whole(path, write(LARGE)))
    check("quota", attempt, f"cannot write {path}: Disk quota exceeded", folders=[folder])


def check_unmounted(base: Path) -> None:
    folder = mount(base / "stick", "size=9m")
    path = folder / "model.npz"

    def write_and_unmount(file) -> None:
        write_arrays(file, GOOD)
        file.flush()
        if files_in(folder):
            subprocess.run(["umount", "-l", str(folder)], check=True)

    tempfile.tempdir = str(base)
    found = write_somewhere(path, write_and_unmount, MODEL).path
    report("unmounted meanwhile", found.parent == base and files_in(folder) == [], str(found))


def check_training(base: Path) -> None:
    """Train to a disk that has room for the old model, but not for the new one."""
    folder = mount(base / "training", "size=300k")
    text = base / "text"
    text.write_text(TEXT, encoding="utf-8")
    temporary = base / "temporary"
    temporary.mkdir()
    before = (folder / "model.npz").read_bytes()
    command = f"{sys.executable} -m rnncli train -q {text} -o {folder}/model.npz --epochs 1 --hidden-size 256"
    run = subprocess.run(
        command.split(), env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True, text=True, cwd=base
    )
    is_fine = (folder / "model.npz").read_bytes() == before and any(temporary.glob("rnncli-*.npz"))
    report("training", is_fine and "Traceback" not in run.stderr and run.returncode == 1, run.stderr.strip())


CASES = (check_no_space, check_read_only, check_full_meanwhile, check_quota, check_unmounted, check_training)


def main() -> None:
    if os.environ.get(IN_NAMESPACE) is None:
        command = ["unshare", "-m", "--propagation", "private", sys.executable, __file__]
        sys.exit(subprocess.run(command, env={**os.environ, IN_NAMESPACE: "1"}).returncode)
    with tempfile.TemporaryDirectory(prefix="failing-storage-") as name:
        base = Path(name)
        base.chmod(0o755)
        try:
            for check_case in CASES:
                check_case(base)
        finally:
            os.chdir("/")
            for folder in sorted(base.iterdir()):
                subprocess.run(["umount", "-q", str(folder)], stderr=subprocess.DEVNULL)
    sys.exit(f"failed: {', '.join(failures)}" if failures else 0)


if __name__ == "__main__":
    main()
