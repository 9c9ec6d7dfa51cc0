"""Restarts of plugins and of the runtime, at times that a seed gives."""

import dataclasses
import random
import time

from Peers.cri import Runtime
from Peers.wait import eventually

import grpc  # after Peers, which sets it up

#: The first of each kind comes at this second, within the warm-up: what a restart costs once is no growth.
FIRST = {"runtime": 20, "plugin": 10}
#: Seconds between two of a kind, at least and at most.
BETWEEN = {"runtime": (45, 90), "plugin": (15, 40)}


@dataclasses.dataclass
class Restart:
    #: Seconds after the start of the soak.
    at: float
    what: str
    #: Which of the plugins that may restart.
    which: int
    #: Seconds away.
    away: float


def schedule(seed, seconds):
    """The restarts of a soak: the same for the same seed. The last seconds are left alone, for counting."""
    chance, planned = random.Random(seed), []
    for what, first in FIRST.items():
        at = first
        while at < seconds - 15:
            planned.append(Restart(at, what, chance.randrange(2), chance.uniform(0.05, 1.5)))
            at += chance.uniform(*BETWEEN[what])
    return sorted(planned, key=lambda restart: restart.at)


def control(socket, method, request=b""):
    """Asks a simulated runtime or plugin about itself. On a busy machine the first connection may come too late."""
    def answer():
        with Runtime(socket) as runtime:
            try:
                return (runtime.unary(f"/bench.Control/{method}", request),)
            except grpc.RpcError:
                return None

    return eventually(answer, 60, f"{method} of {socket}")[0]


class Outages:
    """When the runtime was away: from before it was told until a call through RuntimeManager has passed."""

    def __init__(self, runtime, manager):
        self.runtime, self.manager = runtime, manager
        self.spans = []

    def restart_runtime(self, away):
        began = time.monotonic()
        control(self.runtime, "Restart", str(int(away * 1000)).encode())
        with Runtime(self.manager) as kubelet:
            # The old connection may still answer for a moment: only what comes after the absence counts.
            eventually(lambda: time.monotonic() > began + away and self._passes(kubelet), 60, "a call passes again")
        self.spans.append((began, time.monotonic()))

    def _passes(self, kubelet):
        try:
            kubelet.unary("Version", timeout=2)
            return True
        except grpc.RpcError:
            return False

    def excuse(self, call):
        """A call that was on its way while the runtime was away may have failed with UNAVAILABLE."""
        return call.code is grpc.StatusCode.UNAVAILABLE and any(
            call.began <= ended and call.ended >= began for began, ended in self.spans)
