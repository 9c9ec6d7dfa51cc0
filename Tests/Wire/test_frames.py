"""What a gRPC library does not show: exact header lists, GOAWAY, cut connections, resets, PINGs. HTTP/2 by hand."""

import itertools
import os
import threading
import time

import grpc
import pytest
from hpack import NeverIndexedHeaderTuple

from Peers.admin import Admin
from Peers.cri import Runtime, container_config, pod_config
from Peers.h2peer import (
    CANCEL,
    INTERNAL_ERROR,
    NO_ERROR,
    REFUSED_STREAM,
    H2Client,
    H2Server,
    framed,
    request_headers,
    status_trailers,
    unframed,
)
from Peers.messages import cri
from Peers.recorder import refuse, sparse
from Peers.wait import eventually

PING_SECONDS = float(os.environ.get("PING_SECONDS", "60"))
RUN_POD = b"/runtime.v1.RuntimeService/RunPodSandbox"
RUN_REQUEST = cri.RunPodSandboxRequest(config=pod_config()).SerializeToString()
ECHO = {"end": lambda connection, stream: connection.answer(stream, bytes(stream.data[5:]))}


@pytest.fixture
def raw_runtime(place):
    """A runtime by hand; tests set its behaviour."""
    with H2Server(os.path.join(place, "raw.sock"), dict(ECHO)) as server:
        yield server


@pytest.fixture
def front(raw_runtime, start_manager):
    return start_manager(raw_runtime.path)


@pytest.fixture
def client(front):
    with H2Client(front.listen) as client:
        yield client


@pytest.fixture
def hooked_client(start_plugin, start_manager, raw_runtime):
    """A client whose RunPodSandbox calls are hooked."""
    start_plugin(hooks=["PreRunPodSandbox"])
    with H2Client(start_manager(raw_runtime.path).listen) as client:
        yield client


def at_runtime(server, count=1, ended=False):
    """The connection and stream of the latest of `count` calls. (RuntimeManager makes calls of its own beside them.)"""

    def there():
        found = [(c, s) for c, s in server.streams("/test.Wire/Echo") if s.ended or not ended]
        return found if len(found) >= count else None

    return server.wait(there, what=f"{count} calls are at the runtime")[-1]


# Headers


@pytest.mark.wire
def test_request_headers_keep_order_duplicates_and_bytes(client, raw_runtime):
    more = [
        (b"x-b", b"1"),
        (b"x-a", b"2"),
        (b"x-b", b"3"),
        (b"x-empty", b""),
        (b"x-data-bin", b"AAECAw"),
        (b"x-data-bin", b"//79,AA=="),
        (b"x-long", b"v" * 5000),
        (b"grpc-accept-encoding", b"identity,gzip"),
        (b"user-agent", b"kubelet/1.99"),
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ]
    sent = request_headers("/test.Wire/Echo", more)
    assert client.call("/test.Wire/Echo", headers=sent).status == 0
    _, stream = at_runtime(raw_runtime)
    assert stream.headers == sent


@pytest.mark.wire
def test_answer_headers_and_trailers_keep_order_duplicates_and_bytes(client, raw_runtime):
    first = [(b":status", b"200"), (b"content-type", b"application/grpc+proto"), (b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")]
    last = [(b"x-z", b"1"), (b"grpc-status", b"9"), (b"grpc-message", b"a%20b"), (b"x-z", b"2"), (b"d-bin", b"AAA"), (b"x-0", b"")]

    def end(connection, stream):
        connection.send_headers(stream.id, first)
        connection.send_body(stream, framed(b"body"), trailers=last)

    raw_runtime.behaviour["end"] = end
    stream = client.call("/test.Wire/Echo")
    assert stream.headers == first
    assert unframed(bytes(stream.data)) == [b"body"]
    assert stream.trailers == last


@pytest.mark.wire
def test_an_answer_of_headers_only_stays_one(client, raw_runtime):
    only = [(b":status", b"200"), (b"content-type", b"application/grpc"), (b"grpc-status", b"5"), (b"grpc-message", b"gone")]
    raw_runtime.behaviour["end"] = lambda connection, stream: connection.send_headers(stream.id, only, end=True)
    stream = client.call("/test.Wire/Echo")
    assert (stream.headers, stream.trailers, bytes(stream.data)) == (only, None, b"")


@pytest.mark.wire
def test_an_http_error_of_the_runtime_passes(client, raw_runtime):
    only = [(b":status", b"503"), (b"content-type", b"text/plain"), (b"retry-after", b"1")]
    raw_runtime.behaviour["end"] = lambda connection, stream: connection.send_headers(stream.id, only, end=True)
    assert client.call("/test.Wire/Echo").headers == only


def test_a_secret_that_may_not_be_indexed_stays_one_on_a_hooked_call(hooked_client, raw_runtime):
    secret = NeverIndexedHeaderTuple(b"x-token", b"secret")
    hooked_client.call(RUN_POD.decode(), more=[secret])
    ((_, stream),) = raw_runtime.streams(RUN_POD.decode())
    assert [type(h) for h in stream.headers if h[0] == b"x-token"] == [NeverIndexedHeaderTuple]


@pytest.mark.wire
@pytest.mark.parametrize("where", ["request", "answer", "trailers"])
def test_a_header_of_60_kib_passes(client, raw_runtime, where):
    value = bytes(b"abcdefXYZ0189+/=-_:."[i * 7 % 20] for i in range(60 * 1024))
    big = [(b"x-big", value)]

    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200"), *(big if where == "answer" else [])])
        connection.send_body(stream, framed(b"m"), status_trailers(0) + (big if where == "trailers" else []))

    raw_runtime.behaviour["end"] = end
    stream = client.call("/test.Wire/Echo", more=big if where == "request" else [])
    assert stream.status == 0
    if where == "request":
        assert at_runtime(raw_runtime)[1].header("x-big") == [value]
    else:
        assert stream.header("x-big") == [value]
    assert client.call("/test.Wire/Echo", b"the connection lives on").status == 0


@pytest.mark.wire
def test_a_compressed_message_on_a_relayed_call_passes(client, raw_runtime):
    body = framed(b"\x1f\x8b not really gzip", compressed=True)
    raw_runtime.behaviour["end"] = lambda connection, stream: (
        connection.send_headers(stream.id, [(b":status", b"200"), (b"grpc-encoding", b"gzip")]),
        connection.send_body(stream, bytes(stream.data), trailers=status_trailers(0)),
    )
    stream = client.finish(client.start("/test.Wire/Echo", body, more=[(b"grpc-encoding", b"gzip")]))
    assert at_runtime(raw_runtime)[1].header("grpc-encoding") == [b"gzip"]
    assert bytes(stream.data) == body
    assert stream.header("grpc-encoding") == [b"gzip"]


@pytest.mark.wire
@pytest.mark.parametrize("body", [b"", framed(b""), framed(b"a") + framed(b"b"), b"\x00\x00\x00\x00\x09cut"])
def test_whatever_a_relayed_call_carries_passes(client, raw_runtime, body):
    raw_runtime.behaviour["end"] = lambda connection, stream: (
        connection.send_headers(stream.id, [(b":status", b"200")]),
        connection.send_body(stream, bytes(stream.data), trailers=status_trailers(0)),
    )
    stream = client.finish(client.start("/test.Wire/Echo", body))
    assert bytes(stream.data) == body


@pytest.mark.wire
def test_a_message_in_many_small_frames_arrives_before_it_is_complete(client, raw_runtime):
    stream = client.start("/test.Wire/Echo", framed(b"12345678")[:7], end=False)
    _, at = at_runtime(raw_runtime)
    raw_runtime.wait(lambda: len(at.data) == 7, what="the first bytes are there")
    for byte in b"345678":
        client.send(stream, bytes([byte]))
    client.send(stream, b"", end=True)
    assert unframed(bytes(client.finish(stream).data)) == [b"12345678"]


# Ends of streams


@pytest.mark.wire
def test_an_early_answer_then_reset_without_error_keeps_the_answer(client, raw_runtime):
    def headers(connection, stream):
        connection.refuse(stream, 8, "too much")
        connection.reset(stream.id, NO_ERROR)

    raw_runtime.behaviour = {"headers": headers}
    for _ in range(20):
        stream = client.start("/test.Wire/Echo", framed(b"x" * 1000), end=False)
        client.finish(stream)
        assert (stream.status, stream.message) == (8, "too much")
        assert stream.reset in (None, NO_ERROR)
        if stream.reset is None:
            client.reset(stream.id, CANCEL)
    raw_runtime.behaviour = dict(ECHO)
    assert client.call("/test.Wire/Echo", b"the connection lives on").status == 0


@pytest.mark.wire
@pytest.mark.parametrize("code", [INTERNAL_ERROR, CANCEL, 11])
def test_a_reset_of_the_runtime_keeps_its_code(client, raw_runtime, code):
    raw_runtime.behaviour = {"end": lambda connection, stream: connection.reset(stream.id, code)}
    stream = client.call("/test.Wire/Echo")
    assert stream.reset == code and stream.headers is None


@pytest.mark.wire
def test_a_reset_in_mid_answer_arrives_after_what_was_sent(client, raw_runtime):
    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200")])
        connection.send_body(stream, framed(b"first"))

    raw_runtime.behaviour = {"end": end}
    stream = client.start("/test.Wire/Echo", framed(b""))
    client.until(lambda: bytes(stream.data) == framed(b"first"))
    connection, at = at_runtime(raw_runtime)
    connection.reset(at.id, INTERNAL_ERROR)
    assert client.finish(stream).reset == INTERNAL_ERROR


@pytest.mark.wire
@pytest.mark.parametrize("code", [CANCEL, NO_ERROR])
@pytest.mark.parametrize("end", [False, True], ids=["incomplete", "complete"])
def test_a_reset_of_the_caller_reaches_the_runtime_with_its_code(client, raw_runtime, code, end):
    raw_runtime.behaviour = {}
    stream = client.start("/test.Wire/Echo", framed(b"m"), end=end)
    _, at = at_runtime(raw_runtime, ended=end)
    client.reset(stream.id, code)
    raw_runtime.wait(lambda: at.reset is not None, what="the reset is at the runtime")
    assert at.reset == code


def test_trailers_that_cannot_be_sent_end_the_stream(client, raw_runtime):
    """A trailer with a pseudo header is against HTTP/2; the caller must get an end, not a hang."""
    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200")])
        connection.send_headers(stream.id, [(b":bad", b"1"), (b"grpc-status", b"0")], end=True)

    raw_runtime.behaviour = {"end": end}
    stream = client.call("/test.Wire/Echo")
    assert stream.reset is not None or stream.status not in (None, 0)


def test_a_malformed_request_costs_only_its_own_stream(client, raw_runtime):
    bad = client.start("/x", headers=[(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/x"), (b"Upper", b"1")])
    client.finish(bad)
    assert bad.reset is not None or bad.headers
    assert client.call("/test.Wire/Echo", b"m").status == 0


# Connections


def test_a_call_above_goaways_last_id_is_refused_for_the_client_to_repeat(client, raw_runtime, front):
    raw_runtime.behaviour = {}
    streams = [client.start("/test.Wire/Echo", framed(b"%d" % i)) for i in range(3)]
    connection, _ = at_runtime(raw_runtime, 3, ended=True)
    ids = sorted(s.id for c, s in raw_runtime.streams("/test.Wire/Echo"))
    connection.send_goaway(ids[1])
    client.until(lambda: streams[2].done)
    assert streams[2].reset == 7 or streams[2].status == 14, "REFUSED_STREAM: gRPC clients repeat it by themselves"
    for i in range(2):  # those below go on, on the draining connection
        connection.answer(connection.streams[ids[i]], b"late")
    client.finish(*streams[:2])
    assert [unframed(bytes(s.data)) for s in streams[:2]] == [[b"late"], [b"late"]]
    assert client.goaway is None, "GOAWAY is hop by hop"


def repeating(call):
    """Makes the call as grpc-go does, which repeats by itself what was refused with REFUSED_STREAM; C core does not."""
    try:
        return call()
    except grpc.RpcError as error:
        if "RST_STREAM with error code 7" not in error.details():
            raise
        return call()


def test_kubelets_grpc_does_not_notice_a_goaway_of_the_runtime(front, raw_runtime):
    held = threading.Event()

    def end(connection, stream):
        if bytes(stream.data[5:]) == b"hold":
            held.set()
        else:
            connection.answer(stream, bytes(stream.data[5:]))

    raw_runtime.behaviour = {"end": end}
    with Runtime(front.listen) as kubelet:
        assert kubelet.unary("/test.Wire/Echo", b"1") == b"1"
        running = kubelet.start("/test.Wire/Echo", b"hold")
        assert held.wait(10)
        first, stream = next((c, s) for c, s in raw_runtime.streams() if bytes(s.data[5:]) == b"hold")
        first.send_goaway(stream.id)
        for i in range(20):
            assert repeating(lambda: kubelet.unary("/test.Wire/Echo", b"%d" % i)) == b"%d" % i
        first.answer(stream, b"held")
        assert running.result(10) == b"held"
        first.close()
        assert repeating(lambda: kubelet.unary("/test.Wire/Echo", b"after")) == b"after"


def test_a_graceful_goaway_with_the_highest_id_loses_no_call(front, raw_runtime):
    """What grpc-go sends first when it shuts down gracefully: last id 2^31-1, streams go on."""
    with Runtime(front.listen) as kubelet:
        kubelet.unary("/test.Wire/Echo", b"1")
        at_runtime(raw_runtime)[0].send_goaway((1 << 31) - 1)
        for i in range(20):
            assert repeating(lambda: kubelet.unary("/test.Wire/Echo", b"%d" % i)) == b"%d" % i


def test_a_dropped_runtime_connection_ends_its_calls_unavailable(client, raw_runtime):
    raw_runtime.behaviour = {}
    streams = [client.start("/test.Wire/Echo", framed(b"m")) for _ in range(5)]
    at_runtime(raw_runtime, 5, ended=True)[0].close()
    client.finish(*streams)
    assert [s.status for s in streams] == [14] * 5
    raw_runtime.behaviour = dict(ECHO)
    stream = eventually(lambda: (s := client.call("/test.Wire/Echo", b"back")).status == 0 and s, what="calls pass again")
    assert unframed(bytes(stream.data)) == [b"back"]


def test_a_hooked_call_is_not_repeated_when_its_connection_breaks(hooked_client, raw_runtime):
    def end(connection, stream):
        if stream.header(":path") == [RUN_POD]:
            connection.close()
        else:
            connection.answer(stream)

    raw_runtime.behaviour = {"end": end}
    assert hooked_client.call(RUN_POD.decode()).status == 14
    assert len(raw_runtime.streams(RUN_POD.decode())) == 1, "it may have been processed"


def once(runtime, fault):
    """The runtime does this to the first RunPodSandbox, and answers every later call."""
    seen = []

    def end(connection, stream):
        if stream.header(":path") == [RUN_POD] and not seen:
            seen.append(stream)
            fault(connection, stream)
        else:
            connection.answer(stream)

    runtime.behaviour = {"end": end}


#: How a runtime says that it has not processed a call (RFC 9113, sections 8.7 and 6.8).
NOT_PROCESSED = {
    "REFUSED_STREAM": lambda connection, stream: connection.reset(stream.id, REFUSED_STREAM),
    "GOAWAY below it": lambda connection, stream: connection.send_goaway(max(stream.id - 2, 0)),
}


@pytest.mark.parametrize("fault", NOT_PROCESSED)
def test_a_hooked_call_that_provably_was_not_processed_is_repeated_as_it_was(
    raw_runtime, start_plugin, start_manager, fault
):
    plugin = start_plugin(hooks=["PreRunPodSandbox"])
    plugin.on("PreRunPodSandbox", sparse(annotations={"by": "plugin"}))
    once(raw_runtime, NOT_PROCESSED[fault])
    with H2Client(start_manager(raw_runtime.path).listen) as client:
        trace = (b"traceparent", b"00-a-b-01")
        assert client.call(RUN_POD.decode(), RUN_REQUEST, more=[trace]).status == 0
    first, second = [stream for _, stream in raw_runtime.streams(RUN_POD.decode())]
    assert first.data == second.data and b"plugin" in second.data, "with what the plugin changed"
    assert first.headers == second.headers and trace in second.headers
    assert plugin.names() == ["PreRunPodSandbox"], "hooks that ran are not asked again for it"


@pytest.mark.parametrize("fault", NOT_PROCESSED)
def test_a_hooked_call_is_repeated_only_once(hooked_client, raw_runtime, fault):
    def end(connection, stream):
        if stream.header(":path") == [RUN_POD]:
            NOT_PROCESSED[fault](connection, stream)
        else:
            connection.answer(stream)

    raw_runtime.behaviour = {"end": end}
    assert hooked_client.call(RUN_POD.decode(), RUN_REQUEST).status == 14
    assert len(raw_runtime.streams(RUN_POD.decode())) == 2


@pytest.mark.parametrize("code", [NO_ERROR, 1, INTERNAL_ERROR, CANCEL, 11])
def test_a_hooked_call_that_the_runtime_reset_otherwise_is_not_repeated(hooked_client, raw_runtime, code):
    once(raw_runtime, lambda connection, stream: connection.reset(stream.id, code))
    stream = hooked_client.call(RUN_POD.decode(), RUN_REQUEST)
    assert stream.reset == code or (code == NO_ERROR and stream.status == 14), stream
    assert hooked_client.call("/test.Wire/Echo").status == 0
    assert len(raw_runtime.streams(RUN_POD.decode())) == 1, "it may have been processed"


def test_a_hooked_call_below_goaways_last_id_ends_on_its_connection(hooked_client, raw_runtime):
    def goes_on(connection, stream):
        connection.send_goaway(stream.id)
        connection.answer(stream)

    once(raw_runtime, goes_on)
    assert hooked_client.call(RUN_POD.decode(), RUN_REQUEST).status == 0
    assert len(raw_runtime.streams(RUN_POD.decode())) == 1


def test_a_hooked_call_below_goaways_last_id_is_not_repeated_when_the_connection_breaks(hooked_client, raw_runtime):
    def breaks(connection, stream):
        connection.send_goaway(stream.id)
        connection.close()

    once(raw_runtime, breaks)
    assert hooked_client.call(RUN_POD.decode(), RUN_REQUEST).status == 14
    assert len(raw_runtime.streams(RUN_POD.decode())) == 1, "it may have been processed"


POST_START = {
    "an update": ("UpdateContainerResources", sparse(resources={"cpu_shares": 77})),
    "a refusal": ("StopContainer", refuse(grpc.StatusCode.INTERNAL)),
}


@pytest.mark.parametrize("case", POST_START)
def test_what_follows_from_a_start_is_done_even_if_the_caller_leaves_as_its_answer_comes(
    raw_runtime, start_plugin, start_manager, case
):
    """The answer and the caller's reset are read in one turn of the event loop, the answer first.

    Which of them epoll tells of first is not in our hands. The account says it: if it was the reset, there is no code of
    the runtime's, and another container is started.
    """
    ours, answer = POST_START[case]
    plugin = start_plugin(hooks=["PreStartContainer", "PostStartContainer"], policy="Fail")
    plugin.on("PostStartContainer", answer)
    service = "/runtime.v1.RuntimeService/"
    identifiers = (f"{number:064x}" for number in itertools.count())

    def end(connection, stream):
        verb = stream.header(":path")[0].decode().removeprefix(service)
        if verb == "RunPodSandbox":
            connection.answer(stream, cri.RunPodSandboxResponse(pod_sandbox_id="p" * 64).SerializeToString())
        elif verb == "CreateContainer":
            connection.answer(stream, cri.CreateContainerResponse(container_id=next(identifiers)).SerializeToString())
        elif verb != "StartContainer":
            connection.answer(stream)

    raw_runtime.behaviour = {"end": end}
    front = start_manager(raw_runtime.path)
    admin = Admin(front.admin)
    with H2Client(front.listen) as client:
        pod = pod_config()
        client.call(service + "RunPodSandbox", cri.RunPodSandboxRequest(config=pod).SerializeToString())
        create = cri.CreateContainerRequest(pod_sandbox_id="p" * 64, config=container_config(), sandbox_config=pod)

        def answer_first():
            """Starts a container; whether its answer was read before its caller's reset."""
            created = client.call(service + "CreateContainer", create.SerializeToString())
            start = cri.StartContainerRequest.FromString(unframed(bytes(created.data))[0])  # both have the id in field 1
            before = len(raw_runtime.streams(service + "StartContainer"))
            leaving = client.start(service + "StartContainer", framed(start.SerializeToString()))
            raw_runtime.wait(lambda: [s.ended for _, s in raw_runtime.streams(service + "StartContainer")][before:] == [True])
            connection, stream = raw_runtime.streams(service + "StartContainer")[before]
            with front.frozen():
                connection.answer(stream)
                client.reset(leaving.id)
            (call,) = eventually(lambda: admin.why(start.container_id), what="the call is over")["calls"]
            return "runtimeCode" in call

        assert any(answer_first() for _ in range(50))
        raw_runtime.wait(lambda: any(s.ended for _, s in raw_runtime.streams(service + ours)), what=ours)
        assert client.call("/test.Wire/Echo").status == 0
    assert len(plugin.of("PostStartContainer")) == 1
    assert [s.reset for _, s in raw_runtime.streams(service + ours)] == [None], "it is not cancelled with its caller"


def test_a_connection_dropped_in_mid_answer_is_no_success(client, raw_runtime):
    def end(connection, stream):
        connection.send_headers(stream.id, [(b":status", b"200")])
        connection.send_body(stream, framed(b"half an answer")[:9])

    raw_runtime.behaviour = {"end": end}
    stream = client.start("/test.Wire/Echo", framed(b""))
    client.until(lambda: len(stream.data) == 9)
    at_runtime(raw_runtime)[0].close()
    client.finish(stream)
    assert stream.reset is not None or stream.status == 14


def test_garbage_from_the_runtime_ends_its_calls_unavailable(client, raw_runtime):
    raw_runtime.behaviour = {}
    stream = client.start("/test.Wire/Echo", framed(b"m"))
    at_runtime(raw_runtime)[0].send_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"\xff" * 64)
    assert client.finish(stream).status == 14
    raw_runtime.behaviour = dict(ECHO)
    eventually(lambda: client.call("/test.Wire/Echo").status == 0, what="calls pass again")


def test_a_runtime_that_hangs_up_after_each_answer_is_not_asked_without_pause(place, start_manager):
    def end(connection, stream):
        connection.answer(stream)
        connection.close()

    apart = os.path.join(place, "runtime")  # a change of the socket's directory would end the pause
    os.mkdir(apart)
    with H2Server(os.path.join(apart, "raw.sock"), {"end": end}) as server:
        start_manager(server.path)
        began = time.monotonic()
        server.wait(lambda: len(server.streams("/runtime.v1.RuntimeService/Version")) > 10)
        assert time.monotonic() - began >= 0.2, "50 ms between two questions"


def test_garbage_from_a_client_costs_only_its_own_connection(client, front):
    import socket

    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(front.listen)
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"\x00" * 100)
        stranger.settimeout(10)
        while stranger.recv(4096):
            pass
    assert client.call("/test.Wire/Echo").status == 0


def test_many_cancelled_calls_do_not_cost_the_connection(client, raw_runtime):
    raw_runtime.behaviour = {}
    for _ in range(3000):
        stream = client.start("/test.Wire/Echo", framed(b"m"), end=False)
        client.reset(stream.id, CANCEL)
        client._receive(0)
    raw_runtime.behaviour = dict(ECHO)
    assert client.call("/test.Wire/Echo", b"m", within=30).status == 0
    assert client.goaway is None


@pytest.mark.wire
@pytest.mark.timeout(180)
def test_pings_at_the_rate_of_grpc_go_pass_for_a_minute(place, start_manager):
    """One PING for each DATA on both sides, as grpc-go measures its bandwidth; no flood guard may cut that off."""
    with H2Server(os.path.join(place, "ping.sock"), dict(ECHO), ping_per_data=True) as server:
        front = start_manager(server.path)
        with H2Client(front.listen, ping_per_data=True) as client:
            body = framed(b"p" * 3000)
            ends = time.monotonic() + PING_SECONDS
            calls = 0
            while time.monotonic() < ends:
                streams = []
                for _ in range(16):
                    stream = client.start("/test.Wire/Echo", body[:100], end=False)
                    client.ping()
                    client.send(stream, body[100:], end=True)
                    streams.append(stream)
                client.finish(*streams)
                assert all(s.status == 0 and bytes(s.data) == body for s in streams)
                calls += 16
                for stream in streams:
                    del client.streams[stream.id]
            client.until(lambda: client.pings_acknowledged == client.pings_sent, what="every PING is acknowledged")
            connections = {id(c): c for c, _ in server.streams("/test.Wire/Echo")}
            assert client.goaway is None and len(connections) == 1, "no connection was cut off"
            (connection,) = connections.values()
            server.wait(lambda: connection.pings_acknowledged == connection.pings_sent)
            assert connection.goaway is None
            assert calls > 1000


@pytest.mark.wire
def test_a_request_body_of_16_mib_leaves_through_small_windows(client, raw_runtime):
    raw_runtime.behaviour = {"end": lambda connection, stream: connection.answer(stream, b"%d" % len(stream.data))}
    stream = client.call("/test.Wire/Echo", b"b" * (16 << 20), within=60)
    assert unframed(bytes(stream.data)) == [b"%d" % ((16 << 20) + 5)]
