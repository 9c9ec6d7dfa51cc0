"""What was done to a container and by whom: `why` and the stream of events."""

import contextlib
import itertools
import json
import threading

import grpc
import pytest

from Peers.admin import AdminConnection
from Peers.recorder import refuse, sparse
from Peers.wait import eventually

SECRET = "canary-91bd"
#: AccountBook.accountsPerObject
KEPT = 20
#: AccountBook.eventsWaiting
EVENTS_WAITING = 256


def registered(manager, *names):
    for name in names:
        manager.wait_log(f"plugin {name}: registered", within=60)


class Events:
    """A reader of the event stream."""

    def __init__(self, path):
        self.connection = AdminConnection(path)
        self.connection.request("GET", "/v1/events")
        self.answer = self.connection.getresponse()
        assert (self.answer.status, self.answer.headers["content-type"]) == (200, "text/event-stream")

    def __iter__(self):
        """Name and document of each event, until the daemon ends the stream."""
        name = None
        for line in self.answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)

    def close(self):
        # The socket itself, beneath http.client's buffer.
        self.answer.close()
        self.connection.close()


@pytest.fixture
def events(admin):
    reader = Events(admin.path)
    yield reader
    reader.close()


@pytest.fixture
def two(start_plugin, admin, manager):
    """Two plugins that want the same field of a container to be different."""
    first, second = start_plugin("a", ["PreCreateContainer"]), start_plugin("b", ["PreCreateContainer"])
    first.on("PreCreateContainer", sparse(resources={"cpu_shares": 128}, container_envs={"CLASS": SECRET}))
    second.on("PreCreateContainer", sparse(
        resources={"cpu_shares": 256, "memory_limit_in_bytes": 1 << 20}, container_annotations={"my-token": SECRET}))
    registered(manager, "a", "b")
    return first, second


def test_why_tells_who_did_what_in_which_order(admin, two, life):
    pod = life.pod()
    container = life.container(pod, cpu_shares=1024)
    shown = eventually(lambda: admin.why(container), within=60)
    assert (shown["id"], shown["earlier"]) == (container, 0)
    (call,) = shown["calls"]
    assert (call["call"], call["runtimeCode"], call["kubeletCode"]) == ("CreateContainer", "OK", "OK")
    assert (call["podSandboxId"], call["containerId"]) == (pod, container)
    assert call["pod"]["uid"] == life.configs[pod].metadata.uid
    assert call["time"].endswith("Z") and call["durationMs"] > 0
    first, second = call["plugins"]
    assert (first["plugin"], first["hookPoint"], first["outcome"]) == ("a", "PreCreateContainer", "changed")
    assert first["changes"] == [
        {"field": "cpu_shares", "before": "1024", "after": "128", "owner": "a"},
        {"field": "env CLASS", "after": "(set)", "owner": "a"}]
    assert (second["plugin"], second["outcome"], second["isUnderFail"]) == ("b", "changed", False)
    assert {"field": "memory_limit_in_bytes", "after": str(1 << 20), "owner": "b"} in second["changes"]
    assert {"field": "annotation my-token", "after": "(set)", "owner": "b"} in second["changes"]
    assert second["dropped"] == [{"field": "cpu_shares", "wanted": "256", "reason": "conflict", "owner": "a"}]
    assert SECRET not in json.dumps(shown)

    # The beginning of an id, and a pod with its containers, also by its name.
    name = life.configs[pod].metadata
    assert admin.get(f"/v1/why/{container[:12]}") == shown
    assert admin.get(f"/v1/why/{pod}")["calls"] == shown["calls"]
    assert admin.get(f"/v1/why/{name.namespace}%2F{name.name}")["calls"] == shown["calls"]


def test_a_call_of_a_trace_says_which(admin, two, life):
    trace = "0af7651916cd43dd8448eb211c80319c"
    pod = life.pod()
    traced = life.container(pod, metadata=[("traceparent", f"00-{trace}-b7ad6b7169203331-01")])
    other = life.container(pod)
    (call,) = eventually(lambda: admin.why(traced), within=60)["calls"]
    assert call["traceId"] == trace
    (call,) = eventually(lambda: admin.why(other), within=60)["calls"]
    assert "traceId" not in call


def test_several_that_an_id_may_mean_are_listed(admin, two, life):
    pod = life.pod()
    created = {life.container(pod) for _ in range(17)}
    eventually(lambda: admin.why(pod) and len(admin.why(pod)["calls"]) == 17, within=60)
    # Of 17 ids, two have the same first digit.
    digit = next(digit for digit in "0123456789abcdef" if sum(id[0] == digit for id in created) > 1)
    status, document = admin.refused("GET", f"/v1/why/{digit}")
    assert status == 409
    meant = {id for id in created if id[0] == digit}
    assert meant <= set(document["matches"]) <= created | {pod}
    assert document["error"] == f"{len(document['matches'])} objects have an id that begins with {digit}"


def test_a_refusal_says_what_kubelet_was_told(admin, start_plugin, manager, life, kubelet):
    plugin = start_plugin("strict", ["PreCreateContainer"], "Fail")
    plugin.on("PreCreateContainer", refuse(grpc.StatusCode.INTERNAL, "not today"))
    registered(manager, "strict")
    pod = life.pod()
    with pytest.raises(grpc.RpcError) as refusal:
        life.container(pod)
    (call,) = eventually(lambda: admin.why(pod), within=60)["calls"]
    assert call["refusal"] == refusal.value.details() and call["kubeletCode"] == "INTERNAL"
    assert "runtimeCode" not in call and "containerId" not in call
    (hook,) = call["plugins"]
    assert (hook["outcome"], hook["isUnderFail"]) == ("refused", True)
    assert hook["failure"] == {"kind": "status", "effect": "refused", "text": "INTERNAL: not today"}
    shown = admin.plugin("strict")
    assert (shown["calls"], shown["failures"]) == (1, {"status": 1})
    assert shown["lastError"]["text"] == "INTERNAL: not today" and shown["p50Ms"] <= shown["p99Ms"]


def test_an_object_has_its_last_calls(admin, start_plugin, manager, life, kubelet):
    start_plugin("p", ["PreUpdateContainerResources"])
    registered(manager, "p")
    container = life.container(life.pod())
    for shares in range(2, KEPT + 5):
        kubelet.update(container, cpu_shares=shares)
    eventually(lambda: admin.why(container) and admin.why(container)["earlier"] == 3, within=60)
    shown = admin.why(container)
    assert len(shown["calls"]) == KEPT


# Events


def test_each_hooked_call_is_an_event(admin, two, events, life):
    pod = life.pod()
    created = [life.container(pod) for _ in range(3)]
    stream = iter(events)
    for container in created:
        name, document = next(stream)
        assert (name, document["call"], document["containerId"]) == ("call", "CreateContainer", container)
        assert [hook["plugin"] for hook in document["plugins"]] == ["a", "b"]
        assert SECRET not in json.dumps(document)


def test_every_reader_gets_every_event_and_who_has_gone_costs_nothing(admin, two, manager, life):
    pod = life.pod()
    earlier = life.container(pod)
    eventually(lambda: admin.why(earlier), within=60, what="its account is filed, and so no event any more")
    descriptors = manager.descriptors()
    with contextlib.ExitStack() as open_readers:
        readers = [open_readers.enter_context(contextlib.closing(Events(admin.path))) for _ in range(10)]
        gone = Events(admin.path)
        gone.close()
        container = life.container(pod)
        for reader in readers:
            assert next(iter(reader))[1]["containerId"] == container
    eventually(lambda: manager.descriptors() <= descriptors, within=60, what="all readers are gone")


def test_a_reader_that_is_too_slow_is_told_how_much_it_missed_and_hung_up_on(admin, start_plugin, manager, life, kubelet):
    plugin = start_plugin("p", ["PreUpdateContainerResources"])
    number = itertools.count()

    def others_each_time(call, context):
        value = f"{next(number):0250}"
        return sparse(container_annotations={f"{n}-" + "k" * 200: value for n in range(60)})(call, context)

    # About 40 KB an event: sockets, and what waits to be written, take a few of them.
    plugin.on("PreUpdateContainerResources", others_each_time)
    registered(manager, "p")
    container = life.container(life.pod())
    events = Events(admin.path)
    for shares in range(EVENTS_WAITING + 64):
        kubelet.update(container, cpu_shares=2 + shares)

    # It reads on, and is told with the first account that there is room for again.
    told = threading.Event()

    def more():
        for _ in range(1000):
            if told.is_set():
                break
            kubelet.update(container, cpu_shares=2)

    thread = threading.Thread(target=more)
    thread.start()
    try:
        *got, last = list(events)
    finally:
        told.set()
        thread.join()
        events.close()
    assert {name for name, _ in got} == {"call"} and len(got) >= EVENTS_WAITING
    name, document = last
    assert name == "missed" and 0 < document["missed"] <= admin.plugin("p")["calls"] - len(got)


def test_the_stream_ends_with_the_daemon(admin, events, manager):
    manager.terminate()
    assert list(events) == []
    assert manager.wait_exit(60) == 0
