"""A private containerd for the whole session, with RuntimeManager and recording plugins before it.

Where it cannot run the tests say `skipped: <why>`; in CI they fail instead.
"""

import os

import pytest

from conftest import IN_CI
from Peers import containerd as private
from Peers.cri import Life, Runtime


@pytest.fixture(scope="session")
def containerd():
    try:
        instance = private.PrivateContainerd()
    except private.NotPossible as reason:
        if IN_CI:
            pytest.fail(f"real containerd must run in CI: {reason}")
        pytest.skip(f"skipped: {reason}")
    with instance:
        yield instance


@pytest.fixture
def direct(containerd):
    """containerd without anything before it, for reading back. What a test left is removed at its end."""
    with Runtime(containerd.socket) as client:
        yield client
        for pod in client.call("ListPodSandbox").items:
            client.stop_pod(pod.id)
            client.remove_pod(pod.id)


@pytest.fixture
def front(containerd, direct, start_manager):
    """RuntimeManager before containerd; starts with the first call of `kubelet` or `life`."""
    return start_manager(containerd.socket, start=False)


@pytest.fixture
def kubelet(front):
    with Runtime(front.listen, before=front.start) as client:
        yield client


@pytest.fixture
def parent(containerd):
    """A cgroup of this test's own, below the one that goes with containerd."""
    return f"{containerd.cgroup}/t{os.urandom(3).hex()}"


@pytest.fixture
def life(kubelet):
    return Life(kubelet)


@pytest.fixture
def kernel(containerd):
    """What the kernel says of a container: `kernel(parent, id, "cpu.shares")`, on cgroup v1 and v2."""
    return private.in_cgroup
