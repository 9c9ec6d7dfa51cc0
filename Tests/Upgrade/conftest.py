import pytest

from Peers.cri import Life, Runtime

from Peers.daemon import Daemon


@pytest.fixture
def start_manager(place):
    """As everywhere, and what it has become ends with the test."""
    started = []

    def start(runtime, **options):
        started.append(Daemon(place, getattr(runtime, "socket", runtime), **options))
        return started[-1]

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def daemon(runtime, start_manager):
    """A daemon before the simulated runtime; starts with the first call of `kubelet` or `life`, or with `start`."""
    return start_manager(runtime, start=False)


@pytest.fixture
def kubelet(daemon):
    """A gRPC client that keeps its channel through all upgrades."""
    with Runtime(daemon.listen, before=daemon.start) as client:
        yield client


@pytest.fixture
def life(kubelet):
    return Life(kubelet)
