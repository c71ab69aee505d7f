"""Two machines on one: namespaces of Linux with a virtual Ethernet link between them, which can be throttled and cut.

Each has a network, a host name, and a /dev/shm of its own: else MPI would find that both are one machine, and send the
data through the memory. It needs root, `ip`, `tc` and `unshare`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

HOSTS = ("10.77.0.1", "10.77.0.2")  # in networks of their own, so nobody else sees them
IN_MACHINE = 'hostname {name}; mount -t tmpfs tmpfs /dev/shm; exec "$@"'


def can_be_made() -> bool:
    """Whether such machines can be made here."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not all(map(shutil.which, ("ip", "tc", "unshare"))):
        return False
    name = f"rnncli-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode == 0
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return made


class Link:
    """The link and the two machines at its ends: `with Link(folder) as link`. A launcher is put into the folder."""

    def __init__(self, folder: Path):
        self.names = [f"rnncli-{end}-{os.getpid()}" for end in "ab"]
        self.cards = [f"v{end}{os.getpid()}" for end in "ab"]
        self.launcher = folder / "launch"

    def __enter__(self) -> Link:
        first, second = self.names
        inside = IN_MACHINE.format(name="$name").replace('"$@"', "$*").replace('"', '\\"')
        self.launcher.write_text(
            "#!/bin/bash\n"
            '[ "$1" = -x ] && shift\n'
            f'[ "$1" = {HOSTS[0]} ] && name={first} || name={second}\n'
            "shift\n"
            f'exec ip netns exec $name unshare -u -i -m bash -c "{inside}"\n'
        )
        self.launcher.chmod(0o755)
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self) -> None:
        for name in self.names:
            _run("ip", "netns", "add", name)
        _run("ip", "link", "add", self.cards[0], "type", "veth", "peer", "name", self.cards[1])
        for name, card, host in zip(self.names, self.cards, HOSTS, strict=True):
            _run("ip", "link", "set", card, "netns", name)
            _run("ip", "-n", name, "addr", "add", f"{host}/24", "dev", card)
            _run("ip", "-n", name, "link", "set", "lo", "up")
        self.set_up(True)

    def __exit__(self, *error: object) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def command(self, mpiexec: str | Path, *options: str) -> list[str]:
        """The beginning of a command that starts a rank on each of the machines."""
        name = self.names[0]
        inside = IN_MACHINE.format(name=name)
        start = ["ip", "netns", "exec", name, "unshare", "-u", "-i", "-m", "bash", "-c", inside, "bash", str(mpiexec)]
        launcher = ["-launcher", "ssh", "-launcher-exec", str(self.launcher), "-iface", self.cards[0]]
        return [*start, *launcher, "-hosts", ",".join(HOSTS), "-ppn", "1", "-n", "2", *options]

    def set_up(self, up: bool) -> None:
        """Join the machines, or cut the link."""
        for name, card in zip(self.names, self.cards, strict=True):
            _run("ip", "-n", name, "link", "set", card, "up" if up else "down")

    def throttle(self, megabits: float) -> None:
        """Let the link carry so many megabits a second in each direction."""
        for name, card in zip(self.names, self.cards, strict=True):
            rate = ["rate", f"{megabits}mbit", "burst", "256kb", "latency", "100ms"]
            _run("ip", "netns", "exec", name, "tc", "qdisc", "replace", "dev", card, "root", "tbf", *rate)

    def sent_bytes(self) -> int:
        """How many bytes the first machine has sent over the link."""
        found = json.loads(_run("ip", "-n", self.names[0], "-s", "-j", "link", "show", self.cards[0]))
        return int(found[0]["stats64"]["tx"]["bytes"])


def _run(*command: str) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout
