"""runc behind a door: containerd is caught in the midst of a call, while its shim waits for runc.

    pod = life.pod(handler=held_runc.HANDLER)          # all of this pod's containers are run by the wrapper
    with containerd.runc.holding("start", container) as runc:
        answer = kubelet.begin("StartContainer", ...)
        runc.reached()                                 # the first `runc start` of this container waits; others pass

It waits until the block, or the test, ends; then it becomes the real runc. (When containerd dies, so does it: the shim
kills the runc of a call whose caller is gone.)
"""

import contextlib
import os
import pathlib
import select

from .wait import eventually

#: The runtime handler of such pods.
HANDLER = "held"
#: The door says whom it stops. Who takes it away, by a rename, is the only one that waits; the gate, which it waits at, is
#: open by then. `read` is the shell's own: who waits is one process, and becomes runc or is killed as one.
WRAPPER = """#!/bin/sh
if read -r subcommand id 2>/dev/null <{d}/door; then
  case " $* " in *" $subcommand "*"$id "*)
    {{ mv {d}/door {d}/reached && read -r _; }} 2>/dev/null <{d}/gate ;;
  esac
fi
exec runc "$@"
"""


class HeldRunc:
    """The wrapper and its door, in a directory of their own."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir()
        self.path = self.dir / "runc"
        self.path.write_text(WRAPPER.format(d=self.dir))
        self.path.chmod(0o755)

    @contextlib.contextmanager
    def holding(self, subcommand, identifier=""):
        """The first runc of this subcommand and container waits; of any container, when none is named."""
        held = _Held(self.dir, subcommand, identifier)
        try:
            yield held
        finally:
            held.release()


class _Held:
    def __init__(self, directory, subcommand, identifier):
        self.what = f"runc {subcommand}"
        self.door, self._reached, self.gate = [directory / name for name in ("door", "reached", "gate")]
        os.mkfifo(self.gate)
        self._both = os.open(self.gate, os.O_RDWR)  # until it is reached: with it neither open waits for the other
        self._ours = os.open(self.gate, os.O_WRONLY)
        fresh = directory / "new"
        fresh.write_text(f"{subcommand} {identifier}\n")
        fresh.rename(self.door)

    def reached(self):
        eventually(self._reached.exists, 20, f"{self.what} is reached")
        os.close(self._both)
        self._both = None

    def ended(self):
        """Until who waited is no more, although nobody has let it through."""
        poll = select.poll()
        poll.register(self._ours, 0)  # that the other end is closed is reported unasked
        assert poll.poll(20_000), f"{self.what} still waits"

    def release(self):
        self.door.unlink(missing_ok=True)
        for descriptor in (self._both, self._ours):
            if descriptor is not None:
                os.close(descriptor)
        self._reached.unlink(missing_ok=True)
        self.gate.unlink()
