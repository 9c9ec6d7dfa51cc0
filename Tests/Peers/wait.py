"""Waiting for what has no event of its own."""

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
