"""What tests say about refusals, changed bytes and deadlines."""

import contextlib
import time

import grpc
import pytest

from Peers.wait import eventually


@contextlib.contextmanager
def refused(code, *words):
    """The call inside fails with this status (or one of several, split by "|"), and its text contains these words."""
    with pytest.raises(grpc.RpcError) as error:
        yield error
    got = error.value
    assert got.code().name in code.split("|"), f"{got.code()}: {got.details()}"
    for word in words:
        assert word in got.details(), got.details()


def by(plugin, hook):
    """How the text of a refusal by a hook begins."""
    return f"hook server err: {plugin}: {hook}: "


def told(seconds):
    """The most that a server is told of a deadline that a client on gRPC's C core was given: the C core sends
    two or three digits, rounded up."""
    return seconds * 1.01


def standstill(read, still=0.3, within=20):
    """Waits until a number stands still; gives it. (A stall is the absence of events: it can only be watched.)"""
    state = {"value": read(), "since": time.monotonic()}

    def quiet():
        value = read()
        if value != state["value"]:
            state.update(value=value, since=time.monotonic())
        return time.monotonic() - state["since"] > still

    eventually(quiet, within, "the producer stands still")
    return state["value"]
