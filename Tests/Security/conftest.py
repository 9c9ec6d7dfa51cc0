"""What attacks are measured by: others' calls go on, memory stays bounded, nothing is left behind."""

import contextlib
import os

import pytest

from Documentation.readme import constants
from Peers.wait import eventually

MIB = 1 << 20
LIMITS = constants()
#: What an attack may cost beside what a limit allows: buffers of the kernel's size, the allocator's slack.
SLACK = 16 * MIB
#: What a build that looks into itself takes for each byte, and the bounds with it (Tests/Sanitizers/run).
MEMORY_FACTOR = int(os.environ.get("MEMORY_FACTOR", "1"))
#: How much slower such a build is: where a test is about an amount, it is given so much less.
TIME_FACTOR = int(os.environ.get("TIME_FACTOR", "1"))


@contextlib.contextmanager
def bounded(manager, growth):
    """What is done inside costs no more than `growth` bytes at any time."""
    before, growth = manager.rss(), growth * MEMORY_FACTOR
    manager.forget_peak()
    yield
    grown = manager.peak() - before
    print(f"grew by {grown / MIB:.1f} MiB of {growth / MIB:.0f}")
    assert grown <= growth, f"{grown / MIB:.1f} MiB more"


class Scene:
    """The program under test before a runtime and one plugin under Fail, and a kubelet that behaves."""

    def __init__(self, manager, runtime, plugin, life):
        self.manager, self.runtime, self.plugin, self.life = manager, runtime, plugin, life

    @property
    def socket(self):
        return self.manager.listen

    def others_go_on(self):
        """A relayed and a hooked call of the kubelet that behaves."""
        assert self.life.runtime.call("Version").runtime_name
        asked = len(self.plugin.names())
        self.life.pod()
        assert len(self.plugin.names()) == asked + 1, "its plugin is asked"

    @contextlib.contextmanager
    def harmless(self, growth=SLACK):
        """What is done inside costs no more than `growth` bytes at any time, and no descriptor or stream afterwards."""
        self.others_go_on()
        descriptors = self.manager.descriptors()
        with bounded(self.manager, growth):
            yield
            self.others_go_on()
            assert self.manager.process.poll() is None
        eventually(lambda: self.manager.descriptors() <= descriptors, what="no descriptor is left behind")
        if hasattr(self.runtime, "calls"):
            eventually(lambda: all(c.cancelled.is_set() for c in list(self.runtime.calls)), what="no stream is left behind")


@pytest.fixture
def scene(runtime, start_plugin, manager, life):
    plugin = start_plugin("good", hooks=["PreRunPodSandbox"], policy="Fail", timeout="60s")
    return Scene(manager, runtime, plugin, life)
