"""A kubelet that sends what gRPC does not allow on a hooked call: a clear error for it, nothing for anybody else."""

import pytest

from Peers.cri import pod_config
from Peers.h2peer import H2Client, framed
from Peers.messages import cri

RUN = "/runtime.v1.RuntimeService/RunPodSandbox"
UNIMPLEMENTED, INTERNAL, RESOURCE_EXHAUSTED = 12, 13, 8


def good():
    return cri.RunPodSandboxRequest(config=pod_config()).SerializeToString()


BAD = {
    "no message": (b"", [], UNIMPLEMENTED),
    "two messages": (framed(good()) * 2, [], UNIMPLEMENTED),
    "a compressed message": (framed(good(), compressed=True), [(b"grpc-encoding", b"gzip")], UNIMPLEMENTED),
    "a compressed message without an encoding": (framed(good(), compressed=True), [], UNIMPLEMENTED),
    "a truncated protobuf": (framed(good()[:-3]), [], INTERNAL),
    "garbage": (framed(b"\xff" * 40), [], INTERNAL),
    "over 16 MiB": (framed(good() + b"\xfa\x7d\x80\x80\x80\x08" + b"z" * (16 << 20)), [], RESOURCE_EXHAUSTED),
}


@pytest.fixture
def hooked(start_plugin, manager):
    plugin = start_plugin()
    manager.start()
    return plugin


@pytest.mark.parametrize("case", BAD)
def test_a_bad_hooked_call_is_refused_and_costs_nobody_else_anything(hooked, raw_kubelet, runtime, case):
    body, more, status = BAD[case]
    beside = raw_kubelet.start("/test.Wire/Slow", framed(b"beside"))
    runtime.take("Slow")
    stream = raw_kubelet.start(RUN, end=body == b"", more=more)
    while body and not stream.done:  # a refusal may come before the last byte has left
        body = raw_kubelet.send_some(stream.id, body, end=True)
        raw_kubelet._receive(0.05 if body else 0)
    raw_kubelet.finish(stream, within=20)
    assert stream.status == status, (stream.status, stream.message)
    assert stream.message
    assert runtime.of("RunPodSandbox") == [], "it is not forwarded"
    assert hooked.names() == [], "no plugin is asked"
    if "compressed" in case:
        assert stream.header("grpc-accept-encoding") == [b"identity"]
    runtime.release()
    assert raw_kubelet.finish(beside).status == 0, "calls beside it go on"
    after = raw_kubelet.call(RUN, good())
    assert after.status == 0, (after.status, after.message)


@pytest.mark.parametrize("case", [case for case in BAD if case != "over 16 MiB"])
def test_without_a_plugin_bad_calls_are_the_runtimes_to_judge(raw_kubelet, place, case):
    body, more, _ = BAD[case]
    stream = raw_kubelet.finish(raw_kubelet.start(RUN, body, more=more))
    assert stream.done
    assert "hook" not in stream.message
    assert raw_kubelet.call(RUN, good()).status == 0


def test_a_message_over_16_mib_passes_when_no_plugin_would_be_asked(raw_kubelet, runtime):
    big = good() + b"\xfa\x7d\x80\x80\x80\x08" + b"z" * (16 << 20)
    assert raw_kubelet.call(RUN, big, within=60).status == 0
    assert runtime.take("RunPodSandbox").raw == big


def test_a_hooked_call_cut_in_its_message_is_forgotten(hooked, manager, raw_kubelet, runtime):
    with H2Client(manager.listen) as other:
        other.start(RUN, framed(good())[:-5], end=False)
    assert raw_kubelet.call(RUN, good()).status == 0
    assert len(runtime.of("RunPodSandbox")) == 1


def test_too_much_collected_at_once_is_refused(hooked, raw_kubelet, runtime):
    """16 MiB a call, 64 MiB in all: the sixth half-sent message of 15 MiB finds no room."""
    body = framed(good() + b"\xfa\x7d\x80\x80\xc0\x07" + b"z" * (15 << 20))
    streams = []
    for _ in range(6):
        stream = raw_kubelet.start(RUN, end=False)
        streams.append(stream)
        rest = body[:-1]
        while rest and not stream.done:
            rest = raw_kubelet.send_some(stream.id, rest)
            raw_kubelet._receive(0.05 if rest else 0)
    raw_kubelet.until(lambda: any(s.status == RESOURCE_EXHAUSTED for s in streams), 30, "one is refused")
    assert not all(s.done for s in streams)
    for stream in streams:
        if not stream.done:
            raw_kubelet.reset(stream.id)
    assert raw_kubelet.call(RUN, good()).status == 0
