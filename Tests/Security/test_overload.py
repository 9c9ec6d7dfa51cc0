"""More of everything than a node ever sees: nobody who behaves is cut off, and memory stays within the limits.

Counted, never timed. The bounds are made of the documented limits and of what a connection and a stream cost.
"""

import contextlib
import resource

import pytest

from Peers.h2peer import H2Server, framed
from Peers.wait import eventually
from Security.attacker import CANCEL, ENHANCE_YOUR_CALM, PROTOCOL_ERROR, Attacker, data, ping, request, reset, settings
from Security.conftest import LIMITS, SLACK

IMAGES = "/runtime.v1.ImageService/ListImages"
SLOW, ECHO, ENDLESS = "/test.Wire/Slow", "/test.Wire/Echo", "/test.Wire/Endless"
CONNECTIONS = LIMITS["ServerLimits.connections"]
BUFFERED = LIMITS["HTTP2Limits.bufferedBytes"]
#: What one connection (with the one to the runtime that it may need) and one call in flight may cost.
A_CONNECTION, A_STREAM = 96 << 10, 6 << 10


@pytest.fixture(autouse=True)
def descriptors():
    """4,096 of them, for us and for what we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def crowd(scene):
    """`crowd(n)`: n connections."""
    with contextlib.ExitStack() as stack:
        yield lambda count, **options: [stack.enter_context(Attacker(scene.socket, **options)) for _ in range(count)]


@pytest.fixture
def images(place, scene):
    """Where images live: what is not complete is not answered."""
    with H2Server(f"{place}/images.sock", {"end": lambda c, s: c.answer(s)}) as server:
        scene.manager.image = server.path
        yield server


def test_1000_connections(scene, images, crowd):
    """256 are served, the others closed at once; those that are served go on, and room is found again afterwards."""
    with scene.harmless(growth=CONNECTIONS * A_CONNECTION + SLACK):
        clients = crowd(1000)
        for client in clients:
            client.until(lambda: client._cut() or client.counts.get("Settings", 0) > 0, what="SETTINGS or the end")
        served = [client for client in clients if not client.is_over]
        assert len(served) == CONNECTIONS - 1, "one is the kubelet that behaves"
        scene.others_go_on()
        for client in served:
            client.send(request(1, IMAGES, end=False) + data(1, framed(b"m"), True))
        for client in served:
            client.until(lambda: client.status(1) == 0, what="its call")
        scene.others_go_on()
        for client in clients:
            client.close()
        late = eventually(lambda: _served(crowd), what="a new connection is served")
        late.close()


def _served(crowd):
    (client,) = crowd(1)
    with contextlib.suppress(AssertionError):
        client.until(lambda: client.counts.get("Settings", 0) > 0, within=5)
        return client
    return None


def test_20000_streams(scene, images, crowd):
    """1,000 on each of 20 connections, none of which is answered; each ends when its caller leaves."""
    count = LIMITS["HTTP2Limits.maxConcurrentStreams"]
    with scene.harmless(growth=20 * (A_CONNECTION + count * A_STREAM) + SLACK):
        clients = crowd(20)
        for client in clients:
            client.agree()
            for start in range(0, count, 100):
                client.send(b"".join(request(2 * i + 1, IMAGES, end=False) for i in range(start, start + 100)))
            scene.others_go_on()
        for client in clients:
            client.send(ping())
            client.until(lambda: client.counts.get("Ping", 0) == 1, what="all of it has been read")
            assert client.goaway is None and not client.resets and not client.fields
        scene.others_go_on()
        one_more = clients[0]
        one_more.send(request(2 * count + 1, IMAGES, end=False))
        one_more.until_cut()
        assert one_more.goaway == PROTOCOL_ERROR, "one more is one too many, which it knows"
        for client in clients:
            client.close()
        eventually(lambda: all(s.done or c.closed for c, s in images.streams(IMAGES)), what="no stream is left behind")


def test_slow_readers(scene, crowd, runtime):
    """100 connections ask for endless answers and read nothing: the limit of buffers holds, the oldest are reset."""
    with scene.harmless(growth=BUFFERED + 100 * A_CONNECTION + 2 * SLACK):
        clients = crowd(100, first=settings(INITIAL_WINDOW_SIZE=0))
        for client in clients:
            client.send(request(1, ENDLESS, end=False) + data(1, framed(b"slow"), True), reads=False)
            if clients.index(client) % 10 == 0:
                scene.others_go_on()
        eventually(lambda: _reset(clients) > 0, within=30, what="some are reset")
        scene.others_go_on()
        assert {code for client in clients for code in client.resets.values()} == {ENHANCE_YOUR_CALM}
        assert all(client.goaway is None for client in clients)
        for client in clients:
            client.close()


def _reset(clients):
    for client in clients:
        client.read(0)
    return len([client for client in clients if client.resets])


def test_a_client_that_cancels_everything(scene, crowd, runtime):
    """20 connections cancel what they begin, within what is allowed: none is cut off, and no call is left at the runtime."""
    each = LIMITS["HTTP2Limits.streamResetBurst"] // 20
    with scene.harmless(growth=20 * A_CONNECTION + 2 * SLACK):
        clients = crowd(20)
        for start in range(0, each, 100):
            for client in clients:
                client.send(b"".join(request(2 * i + 1, SLOW, end=False) + reset(2 * i + 1, CANCEL) for i in range(start, start + 100)))
        scene.others_go_on()
        for client in clients:
            last = 2 * each + 1
            client.send(request(last, ECHO, end=False) + data(last, framed(b"m"), True))
            client.until(lambda: client.status(last) == 0, what="its call")
            assert client.goaway is None
        for client in clients:
            client.close()


def test_without_descriptors_it_goes_on_and_recovers(scene, crowd):
    """Its own limit far below 256 connections: who is served is served, and the others when there is room again."""
    with scene.harmless():
        pid, own = scene.manager.process.pid, scene.manager.descriptors()
        old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (own + 8, old[1]))
        clients = crowd(64)
        for _ in range(3):
            scene.others_go_on()
        for client in clients:
            client.close()
        late = eventually(lambda: _served(crowd), what="a new connection is served")
        late.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
