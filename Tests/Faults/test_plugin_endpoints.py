"""A plugin's endpoint over time: sockets that are replaced, registrations that go away."""

import os

from Peers.cri import pod_config
from Peers.h2peer import H2Server, framed, status_trailers
from Peers.messages import cri
from Peers.recorder import hang, register
from Peers.wait import eventually
from Wire.expect import by, refused

PRE = "PreRunPodSandbox"


def answering(path, is_good=True):
    """A plugin that says nothing for or against a pod, or hears and never answers."""

    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200"), (b"content-type", b"application/grpc")])
        connection.send_body(stream, framed(b""), status_trailers(0))

    return H2Server(path, {"end": end if is_good else lambda c, s: None})


def test_a_new_socket_resets_the_breaker_although_it_has_the_old_ones_inode_number(place, hook_dir, life):
    """Many file systems give the number that has just become free to the next file."""
    path = os.path.join(place, "p.sock")
    register(hook_dir, "p", path, [PRE], "Fail", timeout="50ms")
    with answering(path, is_good=False):
        for _ in range(5):
            with refused("DEADLINE_EXCEEDED"):
                life.pod()
        with refused("UNAVAILABLE", "not asked"):
            life.pod()
        old = os.stat(path).st_ino
    for _ in range(100):  # where numbers are not used again, the last is a new socket like any other
        plugin = answering(path)
        if os.stat(path).st_ino == old:
            break
        plugin.stop()
    else:
        plugin = answering(path)
    with plugin:
        life.pod()


def test_a_call_that_was_not_processed_is_repeated_once_and_no_more(place, hook_dir, runtime, life):
    with H2Server(os.path.join(place, "p.sock"), {"open": lambda c, s: c.send_goaway(0)}) as plugin:
        register(hook_dir, "p", plugin.path, [PRE], "Fail", timeout="60s")
        with refused("UNAVAILABLE", by("p", PRE), "connection broken"):
            life.pod(timeout=120)
        assert len(plugin.connections) == 2
    assert runtime.of("RunPodSandbox") == []


def test_a_plugin_that_is_registered_no_longer_is_hung_up_on(place, hook_dir, manager, life):
    """A plugin that lives on under another name would else cost a descriptor with each of them."""
    with answering(os.path.join(place, "p.sock")) as plugin:
        for name in ("old", "new"):
            path = register(hook_dir, name, plugin.path, [PRE], "Fail")
            if manager.process:
                manager.wait_log(f"plugin {name}: registered")
            life.pod()
            os.unlink(path)
            manager.wait_log(f"{name}.json: is gone")
            eventually(lambda: all(connection.closed for connection in plugin.connections), what="it hangs up")
        assert len(plugin.connections) == 2


def test_a_call_under_way_ends_although_its_plugin_is_registered_no_longer(start_plugin, hook_dir, runtime, manager, life):
    slow = hang()
    plugin = start_plugin("p", hooks=[PRE], policy="Fail", timeout="60s")
    plugin.on(PRE, slow)
    running = life.runtime.begin("RunPodSandbox", cri.RunPodSandboxRequest(config=pod_config()), timeout=120)
    asked = plugin.take()
    os.unlink(os.path.join(hook_dir, "p.json"))
    manager.wait_log("p.json: is gone")
    life.pod()  # a call that no plugin is asked about: the registration's end has been acted upon
    assert not asked.cancelled.is_set()
    slow.release()
    assert running.result(60)


def test_no_call_is_lost_while_its_plugins_registration_changes(place, hook_dir, manager, kubelet):
    """One call sees one registration: to one endpoint, the other, or none."""
    with answering(os.path.join(place, "a.sock")) as a, answering(os.path.join(place, "b.sock")) as b:
        path = register(hook_dir, "p", a.path, [PRE], "Fail", timeout="60s")
        kubelet.call("Status")
        running = []
        for number in range(40):
            since = manager.log_length()
            running += [kubelet.begin(PRE[3:], cri.RunPodSandboxRequest(config=pod_config())) for _ in range(10)]
            if number % 3 == 2:
                os.unlink(path)
                manager.wait_log("p.json: is gone", since)
            else:
                register(hook_dir, "p", (b, a)[number % 3].path, [PRE], "Fail", timeout="60s")
                manager.wait_log("plugin p: ", since)
        assert all(call.result() for call in running)
        assert a.streams() and b.streams()
