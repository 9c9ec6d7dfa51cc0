"""A plugin fails: Fail refuses, Ignore goes on, and nobody else notices."""

import os
import socket

import grpc
import pytest

from Peers.cri import Life, Runtime, pod_config
from Peers.h2peer import H2Client, H2Server, framed, status_trailers
from Peers.messages import cri, hook
from Peers.recorder import HOOKS, echo, hang, register, refuse, sparse
from Peers.wait import eventually
from Wire.expect import by, refused, told

PRE = "PreRunPodSandbox"
MiB = 1 << 20


def behave(end):
    return {"end": end}


def closes_in_mid_answer(connection, stream):
    connection.send_headers(stream.id, [(b":status", b"200"), (b"content-type", b"application/grpc")])
    connection.send_body(stream, framed(b"x" * 100)[:20])
    connection.close()


def answers_body(body, more=()):
    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200"), (b"content-type", b"application/grpc"), *more])
        connection.send_body(stream, body, trailers=status_trailers(0))

    return behave(end)


GOOD = hook.PodSandboxHookResponse(annotations={"a": "1"}).SerializeToString()

#: What a broken plugin does, and the status that kubelet gets for it under Fail.
SILENT = "never answers"
BROKEN = {
    "answers bytes that are no HTTP/2": (behave(lambda c, s: c.send_bytes(b"garbage, not a frame" * 10)), "UNAVAILABLE"),
    "closes before it answers": (behave(lambda c, s: c.close()), "UNAVAILABLE"),
    "closes in mid-answer": (behave(closes_in_mid_answer), "UNAVAILABLE"),
    "resets the call": (behave(lambda c, s: c.reset(s.id, 2)), "UNAVAILABLE|INTERNAL"),
    "answers a message that cannot be decoded": (answers_body(framed(b"\xff\xff\xff\xff garbage")), "INTERNAL"),
    "answers a cut protobuf": (answers_body(framed(GOOD[:-2])), "INTERNAL"),
    "answers the message of another call": (
        answers_body(framed(cri.RunPodSandboxResponse(pod_sandbox_id="f" * 64).SerializeToString())),
        "INTERNAL",
    ),
    "answers no message": (answers_body(b""), "INTERNAL"),
    "answers two messages": (answers_body(framed(GOOD) * 2), "INTERNAL"),
    "answers a compressed message": (
        answers_body(framed(GOOD, compressed=True), [(b"grpc-encoding", b"gzip")]),
        "INTERNAL",
    ),
    "answers 16 MiB": (answers_body(framed(b"\x0a\x00" * (8 * MiB))), "INTERNAL"),
    "answers with an error of its own": (behave(lambda c, s: c.refuse(s, 8, "quota")), "RESOURCE_EXHAUSTED"),
    "does not know the method": (behave(lambda c, s: c.refuse(s, 12, "unknown method")), "FAILED_PRECONDITION"),
    SILENT: (behave(lambda c, s: None), "DEADLINE_EXCEEDED"),
}


def patience(case):
    """The plugin's timeout: only what never answers is worth no waiting for."""
    return "500ms" if case == SILENT else "30s"


@pytest.fixture
def broken(place, hook_dir):
    """Starts a plugin by hand with this behaviour, registered as "broken" for PreRunPodSandbox."""
    servers = []

    def start(behaviour, policy, timeout="30s"):
        servers.append(H2Server(os.path.join(place, "broken.sock"), behaviour))
        register(hook_dir, "broken", servers[-1].path, [PRE], policy, timeout=timeout)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_under_fail_refuses_the_call_with_its_cause(broken, runtime, life, case):
    behaviour, code = BROKEN[case]
    broken(behaviour, "Fail", patience(case))
    with refused(code, by("broken", PRE)):
        life.pod()
    assert runtime.of("RunPodSandbox") == [], "the runtime was never asked"
    assert life.runtime.call("Status").status.conditions, "other calls go on"


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_under_ignore_does_not_cost_the_call(broken, start_plugin, runtime, life, case):
    behaviour, _ = BROKEN[case]
    broken(behaviour, "Ignore", patience(case))
    second = start_plugin("second", hooks=[PRE])
    assert life.pod() in runtime.pods
    assert second.names() == [PRE], "the next plugin is asked all the same"
    assert "a" not in runtime.take("RunPodSandbox").request.config.annotations, "nothing of a bad answer counts"


def test_an_absent_plugin_under_fail_refuses_and_under_ignore_does_not(place, hook_dir, runtime, manager, life):
    register(hook_dir, "gone", os.path.join(place, "nobody.sock"), [PRE], "Fail")
    with refused("UNAVAILABLE", by("gone", PRE)):
        life.pod()
    os.unlink(os.path.join(hook_dir, "gone.json"))
    register(hook_dir, "lax", os.path.join(place, "nobody.sock"), [PRE], "Ignore")

    def goes_on():
        try:
            return life.pod()
        except grpc.RpcError:
            return False

    assert eventually(goes_on) in runtime.pods


def test_a_socket_nobody_listens_on_is_unavailable(place, hook_dir, life):
    path = os.path.join(place, "dead.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    register(hook_dir, "dead", path, [PRE], "Fail")
    with refused("UNAVAILABLE", by("dead", PRE)):
        life.pod()


@pytest.mark.skipif(os.geteuid() != 0, reason="skipped: needs root to listen as somebody else")
@pytest.mark.parametrize("allowed", [False, True])
def test_a_socket_of_a_stranger_is_refused_until_its_uid_is_named(place, hook_dir, runtime, life, allowed):
    os.chmod(place, 0o777)
    try:
        os.seteuid(12345)
        server = H2Server(os.path.join(place, "s.sock"), answers_body(framed(b"")))
    finally:
        os.seteuid(0)
    with server:
        register(hook_dir, "s", server.path, [PRE], "Fail", **({"uid": 12345} if allowed else {}))
        if allowed:
            assert life.pod() in runtime.pods
        else:
            with refused("FAILED_PRECONDITION", by("s", PRE), "12345", "uid"):
                life.pod()
            assert [s for _, s in server.streams()] == [], "it was not told anything"


# Status codes


@pytest.mark.parametrize(
    "code,seen",
    [
        ("CANCELLED", "FAILED_PRECONDITION"),
        ("NOT_FOUND", "FAILED_PRECONDITION"),
        ("UNIMPLEMENTED", "FAILED_PRECONDITION"),
        ("ALREADY_EXISTS", "FAILED_PRECONDITION"),
        ("UNKNOWN", "UNKNOWN"),
        ("INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ("PERMISSION_DENIED", "PERMISSION_DENIED"),
        ("RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"),
        ("INTERNAL", "INTERNAL"),
        ("UNAVAILABLE", "UNAVAILABLE"),
        ("DATA_LOSS", "DATA_LOSS"),
    ],
)
def test_a_plugins_code_passes_except_those_that_kubelet_reads_meaning_into(start_plugin, life, code, seen):
    start_plugin(policy="Fail").on(PRE, refuse(getattr(grpc.StatusCode, code), "for a reason"))
    with refused(seen, by("p", PRE), "for a reason"):
        life.pod()


def test_a_plugins_text_may_have_spaces_at_its_ends(start_plugin, life):
    start_plugin(policy="Fail").on(PRE, refuse(grpc.StatusCode.INTERNAL, " spaced "))
    with refused("INTERNAL", by("p", PRE), "spaced"):
        life.pod()


def test_a_plugins_endless_text_is_cut(start_plugin, life):
    start_plugin(policy="Fail").on(PRE, refuse(grpc.StatusCode.INTERNAL, "long, " * 1000 + "end"))
    with refused("INTERNAL", by("p", PRE)) as error:
        life.pod()
    assert len(error.value.details()) < 1024 + 200


@pytest.mark.parametrize("name", [h for h in HOOKS if h.startswith("Pre")])
def test_fail_refuses_at_every_pre_hook_and_leaves_nothing_behind(start_plugin, runtime, life, name):
    from Wire.test_hooks import VERB, drive

    start_plugin(hooks=[name], policy="Fail").on(name, refuse(grpc.StatusCode.INTERNAL))
    with refused("INTERNAL", by("p", name)):
        drive(life, name)
    assert runtime.of(VERB[name]) == []


@pytest.mark.parametrize("name", HOOKS)
def test_ignore_goes_on_at_every_hook(start_plugin, life, name):
    from Wire.test_hooks import drive

    plugin = start_plugin(hooks=[name])
    plugin.on(name, refuse(grpc.StatusCode.INTERNAL))
    drive(life, name)
    assert plugin.names() == [name]


# Who is never locked out


@pytest.mark.parametrize(
    "pod",
    [
        {"namespace": "kube-system"},
        {"annotations": {"kubernetes.io/config.source": "file"}},
        {"annotations": {"kubernetes.io/config.source": "http"}},
    ],
    ids=str,
)
def test_fail_never_locks_a_node_out(start_plugin, runtime, life, pod):
    plugin = start_plugin(policy="Fail")
    for name in HOOKS:
        plugin.on(name, refuse(grpc.StatusCode.INTERNAL))
    identifier = life.pod(**pod)
    container = life.container(identifier)
    life.runtime.start_container(container)
    life.runtime.update(container, cpu_shares=5)
    life.runtime.stop_container(container)
    life.runtime.stop_pod(identifier)
    assert len(plugin.names()) == 7, "it is asked, but cannot refuse"


def test_the_namespaces_that_are_never_locked_out_can_be_chosen(runtime, start_plugin, start_manager):
    start_plugin(policy="Fail").on(PRE, refuse(grpc.StatusCode.INTERNAL))
    front = start_manager(runtime, flags=["--never-fail-namespaces", "infra,storage"])
    with Runtime(front.listen) as kubelet:
        life = Life(kubelet)
        life.pod(namespace="infra")
        life.pod(namespace="storage")
        for namespace in ["kube-system", "default"]:
            with refused("INTERNAL"):
                life.pod(namespace=namespace)


# Deadlines


def test_a_hung_plugin_under_ignore_leaves_kubelet_half_of_its_deadline(start_plugin, runtime, life):
    plugins = [start_plugin(name, hooks=[PRE]) for name in "ab"]
    for plugin in plugins:
        plugin.on(PRE, hang())
    assert life.pod(timeout=3) in runtime.pods
    assert plugins[0].take().time_remaining <= told(3) / 2
    assert runtime.take("RunPodSandbox").time_remaining > 1


def test_a_hung_plugin_under_fail_refuses_within_its_timeout(start_plugin, runtime, life):
    start_plugin(hooks=[PRE], policy="Fail", timeout="300ms").on(PRE, hang())
    with refused("DEADLINE_EXCEEDED", by("p", PRE)):
        life.pod(timeout=30)
    assert runtime.of("RunPodSandbox") == []


def test_a_plugin_that_is_given_up_hears_of_it(start_plugin, life):
    plugin = start_plugin(hooks=[PRE], timeout="300ms")
    plugin.on(PRE, hang())
    life.pod()
    assert plugin.take().cancelled.wait(10)


def test_five_deadlines_in_a_row_trip_the_breaker(start_plugin, life):
    plugin = start_plugin(hooks=[PRE], policy="Fail", timeout="500ms")
    plugin.on(PRE, hang())
    for _ in range(5):
        with refused("DEADLINE_EXCEEDED"):
            life.pod()
    for _ in range(3):
        with refused("UNAVAILABLE", by("p", PRE)):
            life.pod()
    assert len(plugin.names()) == 5, "a tripped plugin is not asked"


def test_a_new_socket_resets_the_breaker(start_plugin, life):
    plugin = start_plugin(hooks=[PRE], policy="Fail", timeout="500ms")
    plugin.on(PRE, hang())
    for _ in range(5):
        with refused("DEADLINE_EXCEEDED"):
            life.pod()
    plugin.on(PRE, echo())
    plugin.restart()
    life.pod()


def test_after_five_seconds_a_probe_closes_the_breaker(start_plugin, runtime, life):
    plugin = start_plugin(hooks=[PRE], timeout="500ms")
    plugin.on(PRE, hang())
    for _ in range(5):
        life.pod()
    plugin.on(PRE, echo())
    life.pod()
    assert len(plugin.names()) == 5
    eventually(lambda: life.pod() and len(plugin.names()) > 5, 15, "the probe call")
    life.pod()
    life.pod()
    assert len(plugin.names()) >= 8


# Plugins that come and go


def test_a_plugin_restarted_between_two_calls_under_fail_is_not_noticed(start_plugin, life):
    plugin = start_plugin(policy="Fail")
    life.pod()
    plugin.restart()
    life.pod()
    assert plugin.names() == [PRE, PRE]


def test_a_call_that_provably_was_not_processed_is_repeated_once(broken, runtime, life):
    seen = []

    def end(connection, stream):
        seen.append(stream)
        if len(seen) == 1:
            connection.reset(stream.id, 7)  # REFUSED_STREAM
        else:
            connection.answer(stream, GOOD)

    broken(behave(end), "Fail")
    life.pod()
    assert len(seen) == 2
    assert runtime.take("RunPodSandbox").request.config.annotations["a"] == "1"


def test_the_repeat_of_a_call_tells_the_time_that_is_left(broken, life):
    told = []

    def end(connection, stream):
        (timeout,) = stream.header("grpc-timeout")
        assert timeout.endswith(b"u"), "30 s are told in microseconds"
        told.append(int(timeout[:-1]))
        if len(told) == 1:
            connection.reset(stream.id, 7)  # REFUSED_STREAM
        else:
            connection.answer(stream, GOOD)

    broken(behave(end), "Fail")
    life.pod()
    assert 0 < told[1] < told[0] <= 30_000_000


def test_a_call_above_a_plugins_goaway_is_repeated(broken, life):
    seen = []

    def end(connection, stream):
        seen.append(stream)
        if len(seen) == 2:
            connection.send_goaway(stream.id - 2)
            connection.close()
        else:
            connection.answer(stream, GOOD)

    broken(behave(end), "Fail")
    life.pod()
    life.pod()
    assert len(seen) == 3


def test_a_call_that_may_have_been_processed_is_not_repeated(broken, life):
    seen = []

    def end(connection, stream):
        seen.append(stream)
        connection.reset(stream.id, 2)

    broken(behave(end), "Fail")
    with refused("UNAVAILABLE|INTERNAL", by("broken", PRE)):
        life.pod()
    assert len(seen) == 1


# Post hooks under Fail


def test_a_failed_poststart_stops_the_container_and_refuses(start_plugin, runtime, life):
    plugin = start_plugin(policy="Fail")
    plugin.on("PostStartContainer", refuse(grpc.StatusCode.INTERNAL, "not today"))
    container = life.container(life.pod())
    with refused("INTERNAL", by("p", "PostStartContainer"), "not today"):
        life.runtime.start_container(container)
    stop = runtime.take("StopContainer").request
    assert (stop.container_id, stop.timeout) == (container, 2)
    assert plugin.take("PostStopContainer").request.container_meta.id == container


def test_a_refusal_after_start_stands_even_if_the_stop_fails(start_plugin, runtime, manager, life):
    start_plugin(policy="Fail").on("PostStartContainer", refuse(grpc.StatusCode.INTERNAL))
    runtime.refuse("StopContainer", grpc.StatusCode.UNKNOWN, "cannot stop")
    container = life.container(life.pod())
    with refused("INTERNAL", by("p", "PostStartContainer")):
        life.runtime.start_container(container)
    manager.wait_log("cannot stop")


def test_our_own_update_and_stop_speak_as_the_call_does(start_plugin, runtime, start_manager):
    plugin = start_plugin(policy="Fail")
    plugin.on("PreStartContainer", sparse(resources={"cpu_shares": 3}))
    plugin.on("PostStartContainer", refuse(grpc.StatusCode.INTERNAL))
    runtime.versions = ["v1alpha2"]
    front = start_manager(runtime)
    trace = ("traceparent", "00-a-b-01")
    with Runtime(front.listen, "v1alpha2") as kubelet:
        life = Life(kubelet)
        container = life.container(life.pod())
        with refused("INTERNAL", by("p", "PostStartContainer")):
            kubelet.start_container(container, timeout=9, metadata=[trace])
    update, stop = runtime.take("UpdateContainerResources"), runtime.take("StopContainer")
    assert trace in update.metadata and trace in stop.metadata
    assert 0 < update.time_remaining < 10 < stop.time_remaining < 31


def test_our_own_stop_has_a_deadline_of_its_own_also_without_kubelets(start_plugin, runtime, life):
    """A caller without grpc-timeout may wait for ever; the stop of a refused container may not. Plugins have theirs."""
    plugin = start_plugin(policy="Fail", timeout="20s")
    plugin.on("PreStartContainer", sparse(resources={"cpu_shares": 3}))
    plugin.on("PostStartContainer", refuse(grpc.StatusCode.INTERNAL))
    container = life.container(life.pod())
    with refused("INTERNAL", by("p", "PostStartContainer")):
        life.runtime.start_container(container, timeout=None)
    assert runtime.take("UpdateContainerResources").time_remaining is None
    assert runtime.take("StartContainer").time_remaining is None
    assert 20 < runtime.take("StopContainer").time_remaining <= 30
    for name in ["PreStartContainer", "PostStartContainer", "PostStopContainer"]:
        assert 5 < plugin.take(name).time_remaining <= 20


@pytest.mark.parametrize("grace", [0, 100])
def test_kubelets_own_stop_has_the_deadline_that_it_came_with(start_plugin, runtime, life, grace):
    """Whatever its grace period: who sets the one, sets the other (kubelet: both together)."""
    plugin = start_plugin(policy="Fail", timeout="20s")
    container = life.container(life.pod())
    life.runtime.stop_container(container, grace, timeout=None)
    assert runtime.take("StopContainer").time_remaining is None
    assert 5 < plugin.take("PostStopContainer").time_remaining <= 20
    life.runtime.stop_container(container, grace, timeout=200)
    assert 100 < runtime.take("StopContainer").time_remaining <= told(200)


@pytest.mark.parametrize("leaves", ["cancels", "hangs up"])
def test_a_poststart_hook_goes_on_without_kubelet_and_its_changes_count(
    start_plugin, runtime, manager, life, leaves
):
    plugin = start_plugin(hooks=["PostStartContainer", "PreUpdateContainerResources"])
    slow = hang(then=sparse(resources={"cpu_shares": 77}, container_annotations={"seen": "yes"}))
    plugin.on("PostStartContainer", slow)
    container = life.container(life.pod(), cpu_shares=5)
    request = cri.StartContainerRequest(container_id=container).SerializeToString()
    with H2Client(manager.listen) as leaving:
        stream = leaving.start("/runtime.v1.RuntimeService/StartContainer", framed(request))
        asked = plugin.take("PostStartContainer")
        if leaves == "cancels":
            leaving.reset(stream.id)
            leaving.ping()
            leaving.until(lambda: leaving.pings_acknowledged == 1, what="the reset is read")
    for _ in range(3):
        life.runtime.call("Status")  # by now its leaving has been read
    assert not asked.cancelled.is_set()
    slow.release()
    update = runtime.take("UpdateContainerResources").request
    assert (update.container_id, update.linux.cpu_shares) == (container, 77)

    def remembered():
        life.runtime.update(container, cpu_quota=5000)
        told = plugin.take("PreUpdateContainerResources").request
        return told.container_resources.cpu_shares == 77 and told.container_annotations["seen"] == "yes"

    eventually(remembered, what="the Store has what the hook changed")


def test_a_refused_poststart_stops_the_container_also_without_kubelet(start_plugin, runtime, manager, life):
    plugin = start_plugin(policy="Fail")
    slow = hang(then=refuse(grpc.StatusCode.INTERNAL, "not today"))
    plugin.on("PostStartContainer", slow)
    container = life.container(life.pod())
    request = cri.StartContainerRequest(container_id=container).SerializeToString()
    with H2Client(manager.listen) as leaving:
        leaving.start("/runtime.v1.RuntimeService/StartContainer", framed(request))
        plugin.take("PostStartContainer")
    for _ in range(3):
        life.runtime.call("Status")
    slow.release()
    assert runtime.take("StopContainer").request.container_id == container
    assert plugin.take("PostStopContainer").request.container_meta.id == container


def test_a_slow_poststart_hook_fails_a_second_before_kubelets_deadline(start_plugin, life):
    plugin = start_plugin(hooks=["PostStartContainer"], timeout="20s")
    plugin.on("PostStartContainer", hang())
    container = life.container(life.pod())
    life.runtime.start_container(container, timeout=3)
    assert plugin.take().time_remaining <= told(3) - 1


@pytest.mark.parametrize("hook_name", ["PreStartContainer", "PostStartContainer"])
def test_a_refused_update_of_ours_is_the_failure_of_the_plugin(start_plugin, runtime, life, hook_name):
    start_plugin(hooks=[hook_name], policy="Fail").on(hook_name, sparse(resources={"cpu_shares": 3}))
    runtime.refuse("UpdateContainerResources", grpc.StatusCode.OUT_OF_RANGE, "no such share")
    container = life.container(life.pod())
    with refused("OUT_OF_RANGE", by("p", hook_name), "no such share"):
        life.runtime.start_container(container)
    if hook_name == "PreStartContainer":
        assert runtime.of("StartContainer") == []


def test_a_failed_stop_hook_is_owed_and_repeated_until_it_succeeds(start_plugin, life):
    plugin = start_plugin(hooks=["PostStopPodSandbox"], policy="Fail")
    plugin.on("PostStopPodSandbox", refuse(grpc.StatusCode.INTERNAL), then=echo())
    pod = life.pod()
    life.runtime.stop_pod(pod)  # kubelet always gets the runtime's answer
    life.runtime.stop_pod(pod)  # and its repetition does not ask again meanwhile
    life.runtime.remove_pod(pod)  # an owed call survives the object
    first, second = plugin.take(), plugin.take(within=15)
    assert first.request == second.request
    assert second.request.pod_meta.name
    assert len(plugin.names()) == 2


def test_an_absent_plugin_is_owed_its_stop(start_plugin, life):
    plugin = start_plugin(hooks=["PostStopContainer"], policy="Fail", start=False)
    container = life.container(life.pod())
    life.runtime.stop_container(container)
    plugin.start()
    assert plugin.take("PostStopContainer", within=20).request.container_meta.id == container


def test_an_owed_call_follows_its_plugin_to_another_socket(start_plugin, hook_dir, life):
    old = start_plugin("p", hooks=["PostStopContainer"], policy="Fail")
    new = start_plugin("new", registered=False)
    old.on("PostStopContainer", refuse(grpc.StatusCode.INTERNAL))
    container = life.container(life.pod())
    life.runtime.stop_container(container)
    new.register(hook_dir, "p", ["PostStopContainer"], "Fail")
    assert new.take("PostStopContainer").request.container_meta.id == container


def test_an_owed_call_ends_with_its_registration(start_plugin, hook_dir, manager, life):
    plugin = start_plugin("p", hooks=["PostStopContainer"], policy="Fail")
    plugin.on("PostStopContainer", refuse(grpc.StatusCode.INTERNAL))
    life.runtime.stop_container(life.container(life.pod()))
    os.unlink(os.path.join(hook_dir, "p.json"))
    manager.wait_log("its registration is gone", within=35)


def test_a_slow_stop_hook_does_not_hold_kubelet_past_its_deadline(start_plugin, life):
    slow = hang()
    plugin = start_plugin(hooks=["PostStopPodSandbox"], policy="Fail", timeout="20s")
    plugin.on("PostStopPodSandbox", slow)
    pod = life.pod()
    life.runtime.stop_pod(pod, timeout=2)
    asked = plugin.take()
    assert not asked.cancelled.is_set(), "the hook goes on"
    slow.release()


def test_post_hooks_are_not_cancelled_when_kubelet_leaves(start_plugin, life):
    plugin = start_plugin(hooks=[PRE, "PostStopPodSandbox"], timeout="20s")
    slow = hang()
    plugin.on("PostStopPodSandbox", slow)
    pod = life.pod()
    plugin.take()
    running = life.runtime.begin("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod))
    asked = plugin.take()
    running.cancel()
    # Behind it on both connections: kubelet's, which brings the cancellation, and the plugin's, which would hand it on.
    life.pod()
    assert not asked.cancelled.is_set()
    slow.release()


def test_several_failures_name_all_and_take_the_first_ones_status(start_plugin, life):
    for name, code in [("b", grpc.StatusCode.ABORTED), ("a", grpc.StatusCode.INTERNAL)]:
        start_plugin(name, hooks=["PostStartContainer"], policy="Fail").on(
            "PostStartContainer", refuse(code, f"{name} says no")
        )
    container = life.container(life.pod())
    with refused("INTERNAL", by("a", "PostStartContainer"), "a says no", "b says no"):
        life.runtime.start_container(container)


def test_plugins_speak_to_us_at_the_rate_of_grpc_gos_pings(place, hook_dir, runtime, life):
    with H2Server(os.path.join(place, "ping.sock"), answers_body(framed(b"")), ping_per_data=True) as server:
        register(hook_dir, "ping", server.path, [PRE], "Fail")
        for _ in range(300):
            life.pod()
        connections = {id(c): c for c, _ in server.streams()}
        assert len(connections) == 1, "the connection is kept"
        (connection,) = connections.values()
        server.wait(lambda: connection.pings_acknowledged == connection.pings_sent)


def test_a_plugin_is_spoken_to_as_grpc_asks(place, hook_dir, life):
    with H2Server(os.path.join(place, "look.sock"), answers_body(framed(b""))) as server:
        register(hook_dir, "look", server.path, [PRE], "Fail")
        life.pod(timeout=60)
        (_, stream) = server.streams()[0]
    headers = dict(stream.headers)
    assert headers[b":method"] == b"POST" and headers[b":scheme"] == b"http"
    assert headers[b":path"] == b"/runtime.v1alpha1.RuntimeHookService/PreRunPodSandboxHook"
    assert headers[b"te"] == b"trailers" and headers[b"content-type"].startswith(b"application/grpc")
    assert b"grpc-timeout" in headers and headers[b":authority"]
    assert bytes(stream.data)[:1] == b"\x00"
