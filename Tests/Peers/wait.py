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
