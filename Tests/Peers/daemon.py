"""The daemon through its upgrades: which process serves, and which ones finish their calls."""

import contextlib
import os
import re
import signal
import subprocess

from .manager import BINARY, Manager
from .wait import eventually, state


class Daemon(Manager):
    """As `Manager`; what it becomes is found again by the socket that it was started with."""

    def upgrade(self, *arguments, within=120):
        """Runs `runtime-manager upgrade`: exit code, stdout and stderr."""
        done = subprocess.run(
            [BINARY, "upgrade", "--listen", self.listen, *arguments], capture_output=True, text=True, timeout=within)
        return done.returncode, done.stdout, done.stderr

    def upgraded(self, *arguments):
        """An upgrade that must succeed: the ids of the new process and of the old one."""
        code, out, error = self.upgrade(*arguments)
        assert code == 0, f"{error}\n{self.log()}"
        return tuple(map(int, re.fullmatch(r"process (\d+) serves; process (\d+) finishes \d+ calls?\n", out).groups()))

    def processes(self):
        """All processes of this daemon, the first stages of upgrades included."""
        mine = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    arguments = file.read().decode().split("\0")
                if "serve" in arguments and self.listen in arguments and state(pid) not in ("Z", "X"):
                    mine.append(int(pid))
        return sorted(mine)

    def alone(self, pid, within=60):
        """Waits until this process is the only one."""
        eventually(lambda: self.processes() == [pid], within, f"only {pid} of {self.processes()} is left:\n{self.log()}")

    def stop(self):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
