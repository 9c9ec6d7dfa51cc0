"""The same attacks from the other sides: a plugin's socket, and the runtime's. A plugin costs what its policy says."""

import contextlib

import grpc
import pytest

from Peers.cri import Life, Runtime
from Peers.messages import cri
from Peers.recorder import register
from Peers.wait import eventually
from Security import attacker as by_hand
from Security.attacker import (
    FRAME,
    Attacker,
    EvilServer,
    block,
    data,
    frame,
    headers,
    ping,
    reset,
    settings,
    window,
)
from Security.conftest import LIMITS, SLACK, Scene

ATTACKED = "/test.Wire/Attacked"
OK = [(b":status", b"200"), (b"content-type", b"application/grpc")]
BUFFERED = LIMITS["HTTP2Limits.bufferedBytes"]
ANSWER = LIMITS["GRPCHookTransport.answerLimitBytes"]


def begun(stream):
    """The beginning of an answer."""
    return headers(stream, block(OK), end=False)


def forever(frames, times=400):
    """Sends `frames` again and again, as long as the connection lives; reads nothing meanwhile."""

    def attack(attacker, stream):
        attacker.send(begun(stream))
        for _ in range(times):
            if not attacker.send(frames(stream), reads=False, within=5):
                break

    return attack


def once(frames):
    return lambda attacker, stream: frames(stream)


BIG_FIELD = b"\x40\x01x" + b"\x7f\xa1\x1e" + b"v" * 4000
LIST = block([(b"big-%d" % i, b"v" * 60_000) for i in range(16)])
#: What a server does when it is asked, and its first SETTINGS.
ATTACKS = {
    "PING flood": (forever(lambda s: ping() * 1000), settings()),
    "SETTINGS flood": (forever(lambda s: settings() * 1000), settings()),
    "empty DATA without end": (forever(lambda s: data(s) * 1000), settings()),
    "informational headers without end": (
        forever(lambda s: headers(s, block([(b":status", b"103")]), end=False) * 100),
        settings(),
    ),
    "PRIORITY flood": (forever(lambda s: frame(2, s, b"\x00\x00\x00\x00\x10") * 1000), settings()),
    "unknown frames": (forever(lambda s: frame(0xEE, s, b"u" * 100) * 100), settings()),
    "window updates of one byte": (forever(lambda s: window(s, 1) * 100), settings()),
    "CONTINUATION flood": (
        lambda a, s: a.send(frame(1, s, block(OK))) and a.send(frame(9, s, block([(b"x", b"m" * 4000)])) * 1000),
        settings(),
    ),
    "empty CONTINUATIONs": (once(lambda s: frame(1, s, block(OK)) + frame(9, s) * 10_000), settings()),
    "HPACK bomb": (once(lambda s: headers(s, block(OK) + BIG_FIELD + b"\xbe" * 50_000)), settings()),
    "header list of nearly 1 MiB": (
        once(lambda s: headers(s, block(OK) + LIST, end=False) + headers(s, LIST)),
        settings(),
    ),
    "answer without end": (forever(lambda s: data(s, b"a" * FRAME), times=2000), settings()),
    "message that says 4 GiB": (once(lambda s: begun(s) + data(s, b"\x00\xff\xff\xff\xff" + b"x" * 100, True)), settings()),
    "GOAWAY flood": (once(lambda s: frame(7, 0, (0).to_bytes(8, "big")) * 10_000), settings()),
    "RST_STREAM flood": (once(lambda s: reset(s) * 10_000), settings()),
    "push": (once(lambda s: frame(5, s, (2).to_bytes(4, "big") + block([(b":method", b"GET")]), 4)), settings()),
    "a stream of its own": (once(lambda s: headers(2, block(OK))), settings()),
    "window of nothing": (once(lambda s: b""), settings(INITIAL_WINDOW_SIZE=0)),
    "window of one byte": (once(lambda s: b""), settings(INITIAL_WINDOW_SIZE=1)),
    "window that overflows": (once(lambda s: window(s, (1 << 31) - 1)), settings()),
    "window of the connection that overflows": (once(lambda s: window(0, (1 << 31) - 1)), settings()),
    "no stream allowed": (once(lambda s: b""), settings(MAX_CONCURRENT_STREAMS=0)),
    "table sizes that change": (
        forever(lambda s: (settings(HEADER_TABLE_SIZE=0) + settings(HEADER_TABLE_SIZE=(1 << 32) - 1)) * 100, times=100),
        settings(HEADER_TABLE_SIZE=(1 << 32) - 1),
    ),
    "garbage": (once(lambda s: b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100), settings()),
}


@contextlib.contextmanager
def evil_plugin(scene, place, hook_dir, case, hook, policy):
    """A plugin that attacks whenever it is asked at `hook`."""
    attack, first = ATTACKS[case]
    path = f"/runtime.v1alpha1.RuntimeHookService/{hook}Hook"
    with EvilServer(f"{place}/evil.sock", path, attack, first=first) as evil:
        scene.others_go_on()
        register(hook_dir, "evil", evil.socket, [hook], policy, timeout="200ms")
        scene.manager.wait_log("plugin evil: registered:")
        yield evil


@contextlib.contextmanager
def harmless_attack(scene, evil, case):
    """What is done inside makes the plugin attack, and is harmless."""
    with scene.harmless(growth=2 * ANSWER + SLACK):
        before = evil.attacks
        yield
        if case == "no stream allowed":
            # What its SETTINGS forbid is to ask it: they are the attack, and an acknowledgement shows that they were read.
            eventually(lambda: any(c.counts.get("Settings", 0) >= 2 for c in evil.connections), what="they are acknowledged")
        else:
            eventually(lambda: evil.attacks > before, what="it attacks")


@pytest.mark.parametrize("case", ATTACKS)
def test_a_plugin_that_attacks_fails_and_the_others_are_asked(scene, place, hook_dir, case):
    """Under Ignore: the pod runs, the plugin after it is asked; no plugin costs more than its own failure."""
    with evil_plugin(scene, place, hook_dir, case, "PreRunPodSandbox", "Ignore") as evil:
        with harmless_attack(scene, evil, case):
            for _ in range(3):
                scene.others_go_on()
        scene.manager.wait_log("hook server evil: PreRunPodSandbox:")


@pytest.mark.parametrize("case", ATTACKS)
def test_the_same_plugin_under_fail_refuses_its_containers_only(scene, place, hook_dir, case):
    """Fail is the administrator's word: each container is refused with its name; calls that are not hooked by it go on."""
    with evil_plugin(scene, place, hook_dir, case, "PreCreateContainer", "Fail") as evil:
        pod = scene.life.pod()

        def refused():
            with pytest.raises(grpc.RpcError, match="hook server err: evil: PreCreateContainer: "):
                scene.life.container(pod)

        # Its connection, which an attack may leave open, is there before descriptors are counted.
        refused()
        with harmless_attack(scene, evil, case):
            for _ in range(3):
                refused()
                scene.others_go_on()


@pytest.fixture
def attacked(place, start_manager, start_plugin, request):
    """A scene whose runtime attacks those who call `ATTACKED`."""
    attack, first = ATTACKS[request.param]
    plugin = start_plugin("good", hooks=["PreRunPodSandbox"], policy="Fail")
    answers = {
        "Version": cri.VersionResponse(runtime_name="evil").SerializeToString(),
        "RunPodSandbox": cri.RunPodSandboxResponse(pod_sandbox_id="p").SerializeToString(),
    }
    with EvilServer(f"{place}/runtime.sock", ATTACKED, attack, answers, first) as runtime:
        manager = start_manager(runtime.socket)
        with Runtime(manager.listen) as kubelet:
            yield Scene(manager, runtime, plugin, Life(kubelet))


#: A runtime that takes no calls at all takes nobody's.
OF_ONE_CALL = [c for c in ATTACKS if c not in ("no stream allowed", "window of nothing")]


@pytest.mark.parametrize("attacked", OF_ONE_CALL, indirect=True)
def test_a_runtime_that_attacks_one_connection_costs_no_other(attacked):
    """Every client has connections of its own to the runtime: what breaks there breaks for it alone."""
    with attacked.harmless(growth=BUFFERED + 2 * SLACK):
        with Attacker(attacked.socket) as other:
            for number in range(3):
                assert other.send(by_hand.request(2 * number + 1, ATTACKED))
                eventually(lambda: attacked.runtime.attacks > 0, what="it attacks")
                attacked.others_go_on()
                other.read()
            assert other.goaway is None, "what the runtime does to the wire ends there"
