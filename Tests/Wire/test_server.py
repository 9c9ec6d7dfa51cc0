"""The life of the daemon: flags, its socket, the runtime's coming and going, the end."""

import fcntl
import os
import socket
import stat
import subprocess
import threading
import time

import grpc
import pytest

from Peers.cri import Life, Runtime, pod_config
from Peers.fake_runtime import FakeRuntime
from Peers.h2peer import H2Client, H2Server, framed, request_headers, unframed
from Peers.manager import Manager, run_once
from Peers.messages import cri
from Peers.recorder import hang
from Peers.wait import eventually
from Wire.expect import refused, standstill

USAGE, BUSY = 64, 69


# Flags


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-flag"],
        ["--log-level", "loud"],
        ["--listen"],
        ["--listen", "/tmp/" + "x" * 103],
        ["--runtime-endpoint", "tcp://localhost:1"],
        ["--runtime-endpoint", "/tmp/" + "x" * 103],
        ["--runtime-endpoint", ""],
        ["--image-endpoint", "http://x"],
        ["--skip-label", "no-value"],
        ["--skip-label", "=true"],
        ["--hook-dir", "relative"],
        ["--never-fail-namespaces", "kube-system, monitoring"],
        ["surplus"],
    ],
    ids=" ".join,
)
def test_wrong_flags_say_so_in_one_line_before_anything_is_bound(place, arguments):
    listen = os.path.join(place, "rm.sock")
    given = arguments if "--listen" in arguments else ["--listen", listen, *arguments]
    code, _, stderr = run_once("serve", *given)
    assert code == USAGE, stderr
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert "Usage" not in stderr
    assert arguments[0].split("=")[0] in stderr, "it names what is wrong"
    assert ": (see" not in stderr, "it says all of it"
    assert os.listdir(place) == []


def test_an_unknown_command_is_a_wrong_flag():
    code, _, stderr = run_once("no-such-command")
    assert code == USAGE and len(stderr.strip().splitlines()) == 1


def test_help_shows_every_flag_and_its_default():
    code, stdout, _ = run_once("serve", "--help")
    assert code == 0
    for text in [
        "--listen",
        "/run/runtime-manager/runtime-manager.sock",
        "--runtime-endpoint",
        "/run/containerd/containerd.sock",
        "--image-endpoint",
        "--hook-dir",
        "/etc/runtime/hookserver.d",
        "--skip-label",
        "runtimeproxy.koordinator.sh/skip-hookserver=true",
        "--never-fail-namespaces",
        "kube-system",
        "--log-level",
    ]:
        assert text in stdout, text


def test_endpoints_may_be_written_as_unix_urls(runtime, place):
    url = f"unix://{runtime.socket}"
    with Manager(place, url, image=url) as front, Runtime(front.listen) as kubelet:
        kubelet.call("Status")
        kubelet.call("ListImages")


# The socket


def test_a_stale_socket_is_replaced(runtime, place, start_manager):
    path = os.path.join(place, "rm.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    front = start_manager(runtime)
    with Runtime(front.listen) as kubelet:
        kubelet.call("Status")


def test_after_a_crash_it_starts_again_on_the_same_socket(runtime, start_manager):
    front = start_manager(runtime)
    front.kill()
    assert os.path.exists(front.listen)
    front.start()
    with Runtime(front.listen) as kubelet:
        kubelet.call("Status")


def test_a_live_socket_is_never_stolen(runtime, place):
    path = os.path.join(place, "rm.sock")
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(path)
        live.listen()
        code, _, stderr = run_once("serve", "--listen", path, "--runtime-endpoint", runtime.socket, "--hook-dir", place)
        assert code == BUSY
        assert path in stderr
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(path)


def test_a_second_one_on_the_same_socket_ends(runtime, place, start_manager):
    front = start_manager(runtime)
    code, _, stderr = run_once(
        "serve", "--listen", front.listen, "--runtime-endpoint", runtime.socket, "--hook-dir", front.hook_dir
    )
    assert code == BUSY and front.listen in stderr
    with Runtime(front.listen) as kubelet:
        kubelet.call("Status")


def test_a_held_lock_ends_it_even_without_a_socket(runtime, place, start_manager):
    front = start_manager(runtime)
    locks = [name for name in os.listdir(place) if name.startswith("rm.") and "lock" in name]
    assert len(locks) == 1, "one lock file beside the socket"
    front.kill()
    os.unlink(front.listen)
    with open(os.path.join(place, locks[0]), "r+") as lock:
        # Held in both ways that Linux has: which of them is used is not the tests' business.
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.lockf(lock, fcntl.LOCK_EX)
        code, _, stderr = run_once(
            "serve", "--listen", front.listen, "--runtime-endpoint", runtime.socket, "--hook-dir", front.hook_dir
        )
    assert code == BUSY and stderr.strip()
    assert not os.path.exists(front.listen)


def test_a_missing_parent_directory_is_made(runtime, place, start_manager):
    front = start_manager(runtime, listen=os.path.join(place, "new", "rm.sock"))
    assert stat.S_IMODE(os.stat(os.path.dirname(front.listen)).st_mode) == 0o755
    with Runtime(front.listen) as kubelet:
        kubelet.call("Status")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("runtimes,ours", [(0o600, 0o600), (0o660, 0o660), (0o777, 0o660)], ids=oct)
def test_the_socket_is_closed_to_others_and_then_as_the_runtimes(place, start_manager, runtimes, ours):
    runtime = FakeRuntime(os.path.join(place, "elsewhere.sock"))
    path = os.path.join(place, "runtime.sock")
    front = start_manager(path)
    assert mode(front.listen) == 0o600
    os.chmod(runtime.socket, runtimes)
    if os.geteuid() == 0:
        os.chown(runtime.socket, 0, 4321)
    os.rename(runtime.socket, path)
    with runtime, Runtime(front.listen) as kubelet:
        kubelet.call("Status")
        eventually(lambda: mode(front.listen) == ours, what=f"mode {ours:o}, is {mode(front.listen):o}")
        if os.geteuid() == 0:
            eventually(lambda: os.stat(front.listen).st_gid == 4321, what="the runtime's owner")


# The runtime comes and goes


def test_calls_wait_for_a_runtime_that_is_not_there_yet(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    with Runtime(front.listen) as kubelet:
        early = [kubelet.begin("Status", cri.StatusRequest(), timeout=30) for _ in range(10)]
        with H2Client(front.listen) as look:
            look.until(lambda: look.settings_received, what="SETTINGS come at once")
        assert not any(call.done() for call in early)
        with FakeRuntime(os.path.join(place, "runtime.sock")):
            for call in early:
                assert call.result(20)


def test_a_waiting_call_ends_at_its_own_deadline(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    with H2Client(front.listen) as kubelet:
        stream = kubelet.start("/runtime.v1.RuntimeService/Status", framed(b""), timeout="300m")
        kubelet.finish(stream, within=5)
        assert stream.status == 4 or stream.reset == 8, "DEADLINE_EXCEEDED, or CANCEL as servers do"


def test_a_hooked_call_waits_for_the_runtime_too(place, start_plugin, start_manager):
    start_plugin()
    front = start_manager(os.path.join(place, "runtime.sock"))
    with Runtime(front.listen) as kubelet:
        early = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()), timeout=30)
        with FakeRuntime(os.path.join(place, "runtime.sock")) as runtime:
            assert early.result(20)
            assert runtime.pods


def test_hooks_have_half_of_what_the_wait_for_the_runtime_left(place, start_plugin, start_manager):
    plugin = start_plugin(policy="Fail")
    front = start_manager(os.path.join(place, "runtime.sock"))
    began = time.monotonic()
    with Runtime(front.listen) as kubelet:
        late = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()), timeout=5)
        eventually(lambda: time.monotonic() - began > 3, what="more than half of the deadline is over")
        with FakeRuntime(os.path.join(place, "runtime.sock")):
            assert late.result(10)
    assert plugin.names() == ["PreRunPodSandbox"]


def test_more_than_a_thousand_waiting_calls_are_unavailable(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    clients, streams = [], []
    try:
        while len(streams) < 1200:
            client = H2Client(front.listen)
            clients.append(client)
            client.until(lambda: client.settings_received)
            room = min(1200 - len(streams), 200, client.h2.remote_settings.max_concurrent_streams)
            streams += [client.start("/runtime.v1.RuntimeService/Status", framed(b"")) for _ in range(room)]

        def done():
            for client in clients:
                client._receive(0)
            return [s for s in streams if s.done]

        eventually(lambda: len(done()) >= 200, 20, "those beyond 1,000 end")
        assert len(done()) == 200
        assert {s.status for s in done()} == {14}
    finally:
        for client in clients:
            client.close()


def held_hooked_calls(client, count, message=b""):
    client.until(lambda: client.settings_received)
    return [client.start("/runtime.v1.RuntimeService/RunPodSandbox", framed(message)) for _ in range(count)]


def test_a_waiting_hooked_call_that_is_cancelled_waits_no_more(place, start_plugin, start_manager):
    start_plugin()
    front = start_manager(os.path.join(place, "runtime.sock"))
    with H2Client(front.listen) as client, Runtime(front.listen) as kubelet:
        for stream in held_hooked_calls(client, 1000):
            client.reset(stream.id)
        client.ping()
        client.until(lambda: client.pings_acknowledged == 1, what="the resets are read")
        early = kubelet.begin("Status", cri.StatusRequest())
        with FakeRuntime(os.path.join(place, "runtime.sock")) as runtime:
            assert early.result(20), "there was room for it"
            assert not runtime.of("RunPodSandbox")


def test_more_than_16_mib_of_waiting_calls_are_unavailable(place, start_plugin, start_manager):
    start_plugin()
    front = start_manager(os.path.join(place, "runtime.sock"))
    with H2Client(front.listen) as client:
        streams = held_hooked_calls(client, 4, b"m" * (5 << 20))
        client.finish(streams[3])
        assert streams[3].status == 14
        assert not any(stream.done for stream in streams[:3])


def test_relayed_calls_that_wait_hold_16_mib_at_most(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    body = framed(b"m" * ((1 << 20) - 5))  # a stream's window, which is not given back while nobody reads
    with H2Client(front.listen) as client:
        client.until(lambda: client.settings_received)
        waiting = [client.start("/test.Wire/Echo", body, end=False) for _ in range(16)]
        client.ping()
        client.until(lambda: client.pings_acknowledged == 1, what="all of that is read")
        assert not any(stream.done for stream in waiting), "16 MiB are held"
        extra = client.finish(client.start("/test.Wire/Echo", framed(b"one more")))
        assert extra.status == 14 and "too many" in extra.message
        assert not any(stream.done for stream in waiting), "nobody else pays for it"
        client.reset(waiting.pop().id)  # makes room
        late = client.start("/test.Wire/Echo", framed(b"late"))
        with FakeRuntime(os.path.join(place, "runtime.sock")):
            for stream in waiting:
                client.send(stream, b"", end=True)
            client.finish(late, *waiting, within=30)
        assert [bytes(stream.data) == body for stream in waiting] == [True] * 15
        assert unframed(bytes(late.data)) == [b"late"]


def test_a_relayed_call_that_has_waited_goes_on_with_the_header_list_that_it_came_with(place, start_manager):
    """grpc-timeout is the caller's word like any other header (its own deadline ends the call for both sides)."""
    front = start_manager(os.path.join(place, "runtime.sock"))
    with H2Client(front.listen) as client:
        headers = request_headers("/test.Wire/Echo", [(b"x-a", b"1"), (b"x-a", b"2")], timeout="99S")
        stream = client.start("", framed(b"m"), headers=headers)
        client.ping()
        client.until(lambda: client.pings_acknowledged == 1, what="the call is read")
        with H2Server(os.path.join(place, "runtime.sock")) as runtime:
            assert client.finish(stream).status == 0
            ((_, arrived),) = runtime.streams("/test.Wire/Echo")
            assert arrived.headers == headers


def test_the_time_that_a_call_has_waited_is_not_its_plugins(place, start_plugin, start_manager):
    """Pre hooks get half of what is left when they begin, not of what was left when the call came."""
    plugin = start_plugin(hooks=["PreRunPodSandbox"], policy="Fail")
    front = start_manager(os.path.join(place, "runtime.sock"))
    with Runtime(front.listen) as kubelet:
        early = kubelet.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()), timeout=6)
        assert not early.done()
        with pytest.raises(grpc.FutureTimeoutError):
            early.result(3.5)
        with FakeRuntime(os.path.join(place, "runtime.sock")):
            assert early.result(20)
    assert plugin.names() == ["PreRunPodSandbox"]


def test_request_trailers_that_come_early_are_kept(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    with H2Client(front.listen) as client:
        stream = client.start("/test.Wire/Echo", framed(b"m"), end=False)
        client.send_headers(stream.id, [(b"x-last", b"1")], end=True)
        client.ping()
        client.until(lambda: client.pings_acknowledged == 1, what="the trailers are read")
        with H2Server(os.path.join(place, "runtime.sock")) as runtime:
            assert client.finish(stream).status == 0
            assert runtime.streams("/test.Wire/Echo")[0][1].trailers == [(b"x-last", b"1")]


def test_once_the_runtime_has_answered_calls_fail_at_once_while_it_is_down(kubelet, runtime):
    kubelet.call("Status")
    runtime.stop()

    def fails():
        with pytest.raises(grpc.RpcError) as error:
            kubelet.call("Status", timeout=20)
        return error.value.code() == grpc.StatusCode.UNAVAILABLE

    assert fails()
    runtime.start()

    def answers():
        try:
            return kubelet.call("Status")
        except grpc.RpcError:
            return None

    assert eventually(answers)


def test_calls_in_flight_when_the_runtime_dies_are_unavailable_and_not_repeated(kubelet, runtime):
    kubelet.call("Status")
    running = kubelet.start("/test.Wire/Slow")
    runtime.take("Slow")
    runtime.stop()
    with refused("UNAVAILABLE"):
        running.result(10)
    runtime.start()
    kubelet.until_answered()
    assert len(runtime.of("Slow")) == 1


def test_the_image_service_can_live_elsewhere(place, runtime, start_manager):
    with FakeRuntime(os.path.join(place, "images.sock")) as images:
        front = start_manager(runtime, image=images.socket)
        with Runtime(front.listen) as kubelet:
            kubelet.call("ListImages")
            kubelet.call("ImageFsInfo")
            kubelet.call("Status")
            with Runtime(front.listen, "v1alpha2") as old:
                old.call("ListImages")
    assert [name for name in images.names() if "Image" in name] == ["ListImages", "ImageFsInfo", "ListImages"]
    assert not [name for name in runtime.names() if "Image" in name]
    assert "Status" in runtime.names()


def test_one_endpoint_serves_both_services_by_default(kubelet, runtime):
    kubelet.call("ListImages")
    assert runtime.of("ListImages")


# The end


def test_sigterm_lets_calls_in_flight_finish(kubelet, manager, runtime, place):
    running = [kubelet.start("/test.Wire/Slow", b"%d" % i, timeout=60) for i in range(20)]
    eventually(lambda: len(runtime.of("Slow")) == 20)
    with H2Client(manager.listen) as look:
        look.until(lambda: look.settings_received)
        manager.terminate()
        look.until(lambda: look.goaway is not None or look.closed, what="GOAWAY")
        assert look.goaway is not None and look.goaway.error_code == 0
    assert not any(call.done() for call in running)
    runtime.release()
    assert [call.result(20) for call in running] == [b"%d" % i for i in range(20)]
    assert manager.wait_exit() == 0


def test_the_last_answer_reaches_a_slow_reader_whole(manager, runtime):
    manager.start()
    body = b"b" * (400 << 10)
    with H2Client(manager.listen) as client:
        stream = client.start("/test.Wire/Slow", framed(body))
        runtime.take("Slow")
        manager.terminate()
        client.until(lambda: client.goaway and client.goaway.last_stream_id == stream.id, what="the second GOAWAY")
        runtime.release()
        with pytest.raises(subprocess.TimeoutExpired):
            manager.wait_exit(0.5)
        assert unframed(bytes(client.finish(stream).data)) == [body]
    assert manager.wait_exit() == 0


def test_sigterm_ends_an_endless_stream_unavailable(kubelet, manager, runtime):
    stream = kubelet.server_stream("/test.Wire/Endless", b"k", timeout=None)
    next(stream)
    codes = []

    def read():
        try:
            for _ in stream:
                pass
        except grpc.RpcError as error:
            codes.append(error.code())

    reader = threading.Thread(target=read)
    reader.start()
    manager.terminate()
    assert manager.wait_exit(40) == 0
    reader.join(10)
    assert codes == [grpc.StatusCode.UNAVAILABLE]


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_sigterm_ends_the_event_stream_at_once(manager, runtime, version):
    manager.start()
    with Runtime(manager.listen, version) as kubelet:
        kubelet.call("Status")
        events = kubelet.server_stream("GetContainerEvents", timeout=None)
        assert next(events) == b"event"
        manager.terminate()
        assert manager.wait_exit(5) == 0
        with refused("UNAVAILABLE", "shutting down"):
            next(events)


EVENTS = "/runtime.v1.RuntimeService/GetContainerEvents"


def test_an_event_stream_that_is_opened_while_draining_ends_with_the_last_call_of_its_connection(manager, runtime):
    """It came before its client had read GOAWAY, so it is served, but never waited for."""
    manager.start()
    with H2Client(manager.listen) as client, H2Client(manager.listen) as look:
        last = client.start("/test.Wire/Slow", framed(b"last"))
        runtime.take("Slow")
        look.until(lambda: look.settings_received)
        manager.terminate()
        look.until(lambda: look.goaway is not None or look.closed, what="GOAWAY")
        events = client.start(EVENTS, framed(b""))
        client.until(lambda: events.data, what="the first event")
        assert unframed(bytes(events.data)) == [b"event"] and not events.done and not last.done
        runtime.release()
        client.finish(last, events)
        assert unframed(bytes(last.data)) == [b"last"]
        assert events.status == 14 and "shutting down" in events.message
        assert events.trailers and unframed(bytes(events.data)) == [b"event"], "the end comes behind what was sent"
    assert manager.wait_exit() == 0
    assert runtime.take("GetContainerEvents").cancelled.wait(10)


def test_an_event_stream_that_is_opened_while_draining_with_nothing_beside_it_is_unavailable(manager, runtime):
    manager.start()
    with H2Client(manager.listen) as client, H2Client(manager.listen) as look:
        assert client.call("/runtime.v1.RuntimeService/Status").status == 0
        look.until(lambda: look.settings_received)
        manager.terminate()
        look.until(lambda: look.goaway is not None or look.closed, what="GOAWAY")
        assert client.goaway is None, "its client has not read that yet"
        events = client.finish(client.start(EVENTS, framed(b"")))
        assert events.status == 14 and "shutting down" in events.message
        assert events.trailers is None, "trailers only: nothing of it was served"
    assert manager.wait_exit() == 0


def test_sigterm_with_nothing_to_do_ends_at_once(manager):
    manager.start()
    manager.terminate()
    assert manager.wait_exit(5) == 0


def test_sigterm_before_the_runtime_was_ever_there(place, start_manager):
    front = start_manager(os.path.join(place, "runtime.sock"))
    front.terminate()
    assert front.wait_exit(5) == 0


def test_a_hooked_call_in_flight_finishes_before_the_end(start_plugin, life, manager, runtime):
    plugin = start_plugin(hooks=["PreRunPodSandbox"])
    slow = hang()
    plugin.on("PreRunPodSandbox", slow)
    running = life.runtime.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()))
    plugin.take()
    manager.terminate()
    slow.release()
    assert running.result(20)
    assert manager.wait_exit() == 0


def test_new_connections_are_not_taken_after_the_end(manager, runtime):
    manager.start()
    manager.terminate()
    assert manager.wait_exit(5) == 0
    with socket.socket(socket.AF_UNIX) as probe, pytest.raises(OSError):
        probe.connect(manager.listen)


# Limits


def test_the_257th_connection_is_closed_and_the_others_live(manager):
    manager.start()
    clients = []
    try:
        for _ in range(256):
            clients.append(H2Client(manager.listen))
        clients[-1].until(lambda: clients[-1].settings_received)
        extra = H2Client(manager.listen)
        clients.append(extra)
        extra.until(lambda: extra.closed, what="it is closed")
        assert clients[0].call("/runtime.v1.RuntimeService/Status").status == 0
    finally:
        for client in clients:
            client.close()


def test_connections_that_are_gone_make_room(manager, runtime):
    manager.start()
    for _ in range(300):
        H2Client(manager.listen).close()

    def answers():
        with H2Client(manager.listen) as client:
            try:
                return client.call("/runtime.v1.RuntimeService/Status").status == 0
            except AssertionError:
                return False

    eventually(answers)


def test_over_32_mib_the_stream_unread_longest_is_exhausted_and_no_other(manager, runtime):
    """Its caller sees RESOURCE_EXHAUSTED; calls beside it, on the same connection too, go on."""
    MiB = 1 << 20
    manager.start()
    with Runtime(manager.listen) as kubelet, H2Client(manager.listen, give_back=False) as stalled:
        beside = kubelet.start("/test.Wire/Slow", b"beside", timeout=60)
        unread = kubelet.server_stream("/test.Wire/Endless", b"unread", timeout=None)
        read = kubelet.server_stream("/test.Wire/Endless", b"read", timeout=None)
        assert len(next(unread)) == 65536
        producer = next(call for call in runtime.of("Endless") if call.raw == b"unread")

        def read_on():
            return all(len(next(read)) == 65536 for _ in range(16))

        standstill(lambda: read_on() and runtime.produced["unread"])
        stalled.h2.increment_flow_control_window(64 * MiB)
        stalled.flush()
        # Each fills its caller's window, and then half of one of 1 MiB here, or all of it.
        streams = [stalled.start("/test.Wire/Endless", framed(b"%d" % i)) for i in range(70)]
        stalled.until(lambda: read_on() and all(s.done or len(s.data) == MiB for s in streams), 60, "they fill their callers' windows")
        eventually(lambda: read_on() and producer.cancelled.is_set(), 30, "its producer hears of it")
        with refused("RESOURCE_EXHAUSTED"):
            for _ in unread:  # what its caller has already
                pass
        standstill(lambda: read_on() and sum(runtime.produced[str(i)] for i in range(70)))
        stalled.ping()
        stalled.until(lambda: stalled.pings_acknowledged == 1, what="what was reset is known")
        assert {s.reset for s in streams} <= {None, 11}, "ENHANCE_YOUR_CALM or nothing"
        assert sum(s.reset is None for s in streams) >= 31, "no more than needed are reset"
        assert read_on() and not beside.done()
        assert kubelet.call("Status").status.conditions
        runtime.release()
        assert beside.result(20) == b"beside"
        read.cancel()


def test_a_hundred_unread_streams_do_not_fill_the_memory(manager, runtime):
    manager.start()
    clients = [H2Client(manager.listen, give_back=False) for _ in range(10)]
    try:
        for i, client in enumerate(clients):
            for j in range(10):
                client.start("/test.Wire/Endless", framed(b"%d-%d" % (i, j)))
        for i in range(10):
            for j in range(10):
                runtime.wait_produced(f"{i}-{j}", 1)
        with Runtime(manager.listen) as kubelet:
            for _ in range(50):
                kubelet.call("Status")
        assert manager.rss() < 150 << 20
    finally:
        for client in clients:
            client.close()
