"""What the tests of all folders share. See Peers/manager.py for RUNTIME_MANAGER."""

import faulthandler
import os
import shutil
import tempfile

import pytest

from Peers import manager as under_test
from Peers.cri import Life, Runtime
from Peers.fake_runtime import FakeRuntime
from Peers.h2peer import H2Client
from Peers.manager import Manager
from Peers.recorder import Recorder

IN_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def pytest_configure(config):
    config.addinivalue_line("markers", "wire: also holds for a plain byte relay")


def pytest_collection_modifyitems(items):
    for item in items:
        if under_test.IS_RELAY and not item.get_closest_marker("wire"):
            item.add_marker(pytest.mark.skip(reason="skipped: asks more than a byte relay can do"))


def pytest_sessionstart(session):
    if not under_test.IS_RELAY and not os.access(under_test.BINARY, os.X_OK) and not session.config.option.collectonly:
        pytest.exit(f"no program to test at {under_test.BINARY} (build it, or set RUNTIME_MANAGER)", 2)


def pytest_unconfigure(config):
    # Python waits for every thread, a peer's handler too that nobody has released: it says which, instead of hanging.
    # Not so one of several workers (python3-pytest-xdist): it waits for the others, and is ended with them.
    if not hasattr(config, "workerinput"):
        faulthandler.dump_traceback_later(60, exit=True)


@pytest.fixture
def place():
    """A directory with a short path, for sockets."""
    path = tempfile.mkdtemp(prefix="rmw-", dir="/tmp")
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def hook_dir(place):
    path = os.path.join(place, "hooks.d")
    os.makedirs(path, 0o755, exist_ok=True)
    return path


@pytest.fixture
def runtime(place):
    """A simulated runtime on `place`/runtime.sock."""
    with FakeRuntime(os.path.join(place, "runtime.sock")) as runtime:
        yield runtime


@pytest.fixture
def start_manager(place):
    """Starts the program under test; what a test started, its end stops."""
    started = []

    def start(runtime, **options):
        started.append(Manager(place, getattr(runtime, "socket", runtime), **options))
        return started[-1]

    yield start
    for one in reversed(started):
        one.stop()


@pytest.fixture
def start_plugin(place, hook_dir):
    """Starts a recording plugin and registers it; `hooks=None` leaves it unregistered."""
    started = []

    def start(name="p", hooks=None, policy=None, registered=True, start=True, **more):
        plugin = Recorder(os.path.join(place, f"{name}.sock"), start=start)
        started.append(plugin)
        if registered:
            plugin.register(hook_dir, name, **({"hooks": hooks} if hooks is not None else {}), policy=policy, **more)
        return plugin

    yield start
    for plugin in started:
        plugin.stop()


@pytest.fixture
def manager(runtime, start_manager):
    """The program under test before the simulated runtime; starts with the first call of `kubelet` or `life`."""
    return start_manager(runtime, start=False)


@pytest.fixture
def kubelet(manager):
    """A gRPC client of the program under test; its first call starts that, after the test has registered plugins."""
    with Runtime(manager.listen, before=manager.start) as client:
        yield client


@pytest.fixture
def raw_kubelet(manager):
    """An HTTP/2 client by hand of the program under test, which is running."""
    manager.start()
    with H2Client(manager.listen) as client:
        yield client


@pytest.fixture
def life(kubelet):
    """Pods and containers through the program under test."""
    return Life(kubelet)
