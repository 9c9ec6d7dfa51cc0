"""Calls that no plugin is asked about: they go through as they are. Checked with gRPC's C core on both ends."""

import threading

import grpc
import pytest

from Peers.fake_runtime import DETAILS
from Peers.messages import cri
from Peers.wait import eventually
from Wire.expect import standstill, told

pytestmark = pytest.mark.wire

MiB = 1 << 20


def test_a_unary_call_gets_its_answer(kubelet, runtime):
    answer = kubelet.call("Version", cri.VersionRequest(version="0.1.0"))
    assert answer.runtime_name == "fake"
    assert "0.1.0" in [call.request.version for call in runtime.of("Version")]


@pytest.mark.parametrize("size", [0, 1, 100, 16384, 65535, 65536, 1 * MiB])
def test_message_bytes_are_kept_at_any_size(kubelet, size):
    message = bytes(i * 7 % 251 for i in range(min(size, 4096))) * (size // 4096 + 1)
    assert kubelet.unary("/test.Wire/Echo", message[:size]) == message[:size]


def test_messages_of_16_mib_pass_each_way(kubelet):
    message = bytes(range(256)) * (16 * MiB // 256) + b"and a little more than 16 MiB"
    assert kubelet.unary("/test.Wire/Echo", message, timeout=60) == message


def test_a_server_stream_keeps_its_messages_in_order(kubelet):
    assert list(kubelet.server_stream("/test.Wire/Count", b"1000")) == [b"%d" % i for i in range(1000)]


def test_a_client_stream_arrives_whole(kubelet):
    answer = kubelet.client_stream("/test.Wire/Collect", (b"c" * i for i in range(1000)))
    assert answer == b"1000 messages, 499500 bytes"


def test_a_stream_in_both_directions_answers_each_message_at_once(kubelet):
    answered = threading.Semaphore(1)

    def messages():
        for i in range(50):  # the next message leaves only when the last one has been answered
            assert answered.acquire(timeout=10)
            yield b"%d" % i

    got = []
    for message in kubelet.both_streams("/test.Wire/Both", messages()):
        got.append(message)
        answered.release()
    assert got == [b"%d" % i for i in range(50)]


def test_metadata_passes_both_ways_binary_values_included(kubelet, runtime):
    sent = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("baggage", "a=b,c=d"),
        ("x-text", "plain"),
        ("x-twice", "one"),
        ("x-twice", "two"),
        ("x-data-bin", b"\x00\x01\xff\xfe, not base64"),
        ("x-empty-bin", b""),
    ]
    answer, call = kubelet.unary_with_call("/test.Wire/Echo", b"m", metadata=sent)
    assert answer == b"m"
    arrived = runtime.take("Echo").metadata
    assert [pair for pair in arrived if pair[0] in dict(sent)] == sent
    back = [(k, v) for k, v in call.initial_metadata() if k.startswith("x-")]
    assert back == [pair for pair in sent if pair[0].startswith("x-")]
    last = [(k, v) for k, v in call.trailing_metadata() if k.startswith("x-last-")]
    assert last == [(f"x-last-{k[2:]}", v) for k, v in sent if k.startswith("x-")]


def test_an_error_of_trailers_only_keeps_code_message_and_details(kubelet):
    with pytest.raises(grpc.RpcError) as error:
        kubelet.unary("/test.Wire/Fail")
    assert error.value.code() == grpc.StatusCode.INTERNAL
    assert error.value.details() == "a message: ünïcode, 100 %\nsecond line"
    trailers = dict(error.value.trailing_metadata())
    assert trailers["grpc-status-details-bin"] == DETAILS
    assert trailers["x-why"] == "test"


def test_spaces_at_the_ends_of_an_error_message_pass(kubelet, runtime):
    """gRPC does not percent-encode them, though HTTP does not like them around a value."""
    runtime.refuse("Status", grpc.StatusCode.UNKNOWN, " spaced out ")
    with pytest.raises(grpc.RpcError) as error:
        kubelet.call("Status")
    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNKNOWN, " spaced out ")


def test_an_answer_before_the_request_has_ended_reaches_the_caller(kubelet):
    done = threading.Event()

    def endless():
        while not done.is_set():
            yield b"r" * 65536

    with pytest.raises(grpc.RpcError) as error:
        kubelet.client_stream("/test.Wire/Refuse", endless(), timeout=20)
    done.set()
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.value.details() == "not this one"
    assert kubelet.unary("/test.Wire/Echo", b"the connection lives on") == b"the connection lives on"


def test_the_callers_cancel_reaches_the_runtime(kubelet, runtime):
    running = kubelet.start("/test.Wire/Slow", timeout=None)
    arrived = runtime.take("Slow")
    running.cancel()
    assert arrived.cancelled.wait(10)


def test_the_cancel_of_a_stream_reaches_the_runtime(kubelet, runtime):
    stream = kubelet.server_stream("/test.Wire/Endless", b"k", timeout=None)
    next(stream)
    arrived = runtime.take("Endless")
    stream.cancel()
    assert arrived.cancelled.wait(10)


def test_a_cut_kubelet_connection_cancels_its_calls(manager, runtime):
    from Peers.h2peer import H2Client, framed

    client = H2Client(manager.start().listen)
    client.start("/test.Wire/Slow", framed(b""))
    arrived = runtime.take("Slow")
    client.close()
    assert arrived.cancelled.wait(10)


def test_a_deadline_reaches_the_runtime_and_ends_the_call(kubelet, runtime):
    with pytest.raises(grpc.RpcError) as error:
        kubelet.unary("/test.Wire/Slow", timeout=0.5)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    arrived = runtime.take("Slow")
    assert arrived.time_remaining <= told(0.5)
    assert arrived.cancelled.wait(10)


def test_a_call_without_a_deadline_arrives_without_one(kubelet, runtime):
    kubelet.unary("/test.Wire/Echo", timeout=None)
    assert runtime.take("Echo").time_remaining is None


def test_an_unread_endless_stream_stalls_its_producer(kubelet, runtime):
    stream = kubelet.server_stream("/test.Wire/Endless", b"unread", timeout=None)
    runtime.wait_produced("unread", 1)
    assert standstill(lambda: runtime.produced["unread"]) < 40 * MiB
    before = runtime.produced["unread"]
    for _ in range(64 * MiB // 65536):  # reading sets it going again
        assert len(next(stream)) == 65536
    assert runtime.produced["unread"] > before
    stream.cancel()


def test_eight_unread_streams_do_not_stall_a_status_call(raw_kubelet, runtime):
    from Peers.h2peer import framed

    raw_kubelet.give_back = False  # what arrives is never acknowledged: no stream's window opens again
    raw_kubelet.h2.increment_flow_control_window(64 * MiB)
    raw_kubelet.flush()
    streams = [raw_kubelet.start("/test.Wire/Endless", framed(b"s%d" % i)) for i in range(8)]
    raw_kubelet.until(lambda: all(len(s.data) == MiB for s in streams), 30, "each stream has filled its window")
    for i in range(8):
        runtime.wait_produced(f"s{i}", MiB - 65536)
    standstill(lambda: sum(runtime.produced.values()))
    answer = raw_kubelet.call("/runtime.v1.RuntimeService/Status")
    assert answer.status == 0
    for stream in streams:
        raw_kubelet.reset(stream.id)


def test_500_calls_at_once_are_all_answered(kubelet, runtime):
    running = [kubelet.start("/test.Wire/Slow", b"%d" % i, timeout=60) for i in range(500)]
    eventually(lambda: len(runtime.of("Slow")) == 500, 30, "all calls are at the runtime at once")
    runtime.release()
    assert [call.result(timeout=60) for call in running] == [b"%d" % i for i in range(500)]


@pytest.mark.parametrize(
    "path", ["/runtime.v1.RuntimeService/NotThereYet", "/runtime.v9.RuntimeService/Version", "/no.such.Service/Call", "/x"]
)
def test_unknown_services_and_methods_are_the_runtimes_to_refuse(kubelet, path):
    with pytest.raises(grpc.RpcError) as error:
        kubelet.unary(path)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("version", ["v1", "v1alpha2"])
def test_both_versions_of_cri_pass(manager, runtime, version):
    from Peers.cri import Runtime

    with Runtime(manager.start().listen, version) as client:
        assert client.call("Version").runtime_api_version == version


def test_many_short_connections_leave_nothing_behind(manager, runtime):
    from Peers.cri import Runtime

    manager.start()
    for _ in range(30):
        with Runtime(manager.listen) as client:
            client.call("Status")
