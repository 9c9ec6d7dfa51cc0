"""Waiting for what has no event of its own."""

import signal
import time


def eventually(condition, within=30.0, what=None):
    """Asks `condition` until it gives something true, and returns that; fails after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within} s: {what or getattr(condition, '__doc__', None) or condition}")
        time.sleep(0.01)


def listens(path):
    """Whether somebody accepts connections on this unix socket: its file is there before that (bind, then listen)."""
    with open("/proc/net/unix") as sockets:
        return any(line.endswith(f" {path}\n") and line.split()[3] == "00010000" for line in sockets)


def state(pid):
    """Of a process: R, S, T, Z and so on, as proc(5) has them."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def freeze(process):
    """SIGSTOP, and until it has stopped: one thread takes the signal, and the others go on until that one has run."""
    process.send_signal(signal.SIGSTOP)
    eventually(lambda: state(process.pid) == "T", what="it has stopped")


def thaw(process):
    process.send_signal(signal.SIGCONT)
