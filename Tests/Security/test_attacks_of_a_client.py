"""HTTP/2 attacks known by name, from a client of the listening socket: what it gets, and that nobody else notices."""

import socket as sockets
import time

import pytest

from Peers.cri import Runtime
from Peers.h2peer import H2Server, framed, request_headers
from Security.attacker import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME,
    INTERNAL_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
    VERSION,
    Attacker,
    block,
    data,
    frame,
    headers,
    ping,
    request,
    reset,
    settings,
    window,
)
from Security.conftest import LIMITS, MIB, SLACK, TIME_FACTOR, bounded

ECHO, ENDLESS, SLOW = "/test.Wire/Echo", "/test.Wire/Endless", "/test.Wire/Slow"
IMAGES = "/runtime.v1.ImageService/ListImages"
BUFFERED = LIMITS["HTTP2Limits.bufferedBytes"]


def each(count, frames, first=0):
    """`frames(stream)` for so many streams, as pieces of bytes."""
    for start in range(first, first + count, 200):
        yield b"".join(frames(2 * i + 1) for i in range(start, min(start + 200, first + count)))


# Floods


def test_rapid_reset(scene):
    """CVE-2023-44487: calls begun and reset at once. Beyond the limit: GOAWAY, and no new call is taken."""
    burst = LIMITS["HTTP2Limits.streamResetBurst"]
    with scene.harmless(), Attacker(scene.socket) as attacker:
        for number, frames in enumerate(each(20 * burst, lambda s: request(s, end=False) + reset(s))):
            if not attacker.send(frames) or attacker.goaway is not None:
                break
            if number % 50 == 0:
                scene.others_go_on()
        attacker.until_cut()
        assert attacker.goaway == INTERNAL_ERROR
        assert 200 * number >= burst, "not before the limit"


def test_a_kubelet_that_cancels_and_pings_is_far_from_that_limit(scene):
    """1,000 cancelled calls a second, for as long as one likes: the rate alone allows it twice, and this is the burst."""
    assert LIMITS["HTTP2Limits.streamResetsPerSecond"] >= 2 * 1000
    assert LIMITS["HTTP2Limits.maxOutboundAcks"] > LIMITS["HTTP2Limits.streamResetBurst"] // 2
    count = LIMITS["HTTP2Limits.streamResetBurst"] - 1000
    with scene.harmless(), Attacker(scene.socket) as kubelet:
        for frames in each(count, lambda s: request(s, SLOW, end=False) + ping(s) + data(s, framed(b"m"), True) + ping(s) + reset(s)):
            assert kubelet.send(frames)
        kubelet.until(lambda: kubelet.counts.get("Ping") == 2 * count, what="every PING is acknowledged")
        last = 2 * count + 1
        kubelet.send(request(last, end=False) + data(last, framed(b""), True))
        kubelet.until(lambda: kubelet.status(last) == 0, what="a call on the same connection")
        assert kubelet.goaway is None


STREAM_ERRORS = {
    "a window that overflows": lambda s: request(s, SLOW, end=False) + window(s, (1 << 31) - 1),
    "more DATA than content-length says": lambda s: request(s, SLOW, [(b"content-length", b"1")], end=False) + data(s, b"123"),
    "a header section too many": lambda s: request(s, SLOW, end=False) + request(s, SLOW, end=False),
    "a malformed request": lambda s: headers(s, block([(b":method", b"POST"), (b"Upper", b"1")])),
}


@pytest.mark.parametrize("case", STREAM_ERRORS)
@pytest.mark.parametrize("reads", [True, False], ids=["reading", "not reading"])
def test_made_you_reset(scene, case, reads):
    """CVE-2025-8671: the client makes the server reset its streams, which are then counted as closed.

    Who reads waits for each 200 resets, so that no more calls are there at once than are allowed. Who does not read has not
    acknowledged our SETTINGS either: calls beyond that limit are reset too, and count.
    """
    frames_queued = LIMITS["HTTP2Limits.queuedFrames"]
    with scene.harmless(growth=SLACK if reads else frames_queued * 1024), Attacker(scene.socket) as attacker:
        for number, frames in enumerate(each(200_000, STREAM_ERRORS[case])):
            if not attacker.send(frames, reads=reads) or attacker.goaway is not None:
                break
            if reads:
                attacker.until(lambda: attacker.is_over or attacker.goaway is not None or len(attacker.resets) == 200 * (number + 1),
                    what="each is reset")
            if number % 50 == 0:
                scene.others_go_on()
        attacker.until_cut()
        assert attacker.goaway == ENHANCE_YOUR_CALM
        assert 200 * (number + 1) >= LIMITS["HTTP2Limits.streamErrorBurst"], "not before the limit"


def test_more_calls_to_reset_in_one_read_than_are_allowed_at_once(scene):
    """None of them can be reset before the next is there: the limit of calls comes before that of resets."""
    at_once = LIMITS["HTTP2Limits.maxConcurrentStreams"]
    with scene.harmless(), Attacker(scene.socket) as attacker:
        attacker.agree()
        with scene.manager.frozen():
            # Reads begin small and double: what is read before is less than is allowed.
            attacker.send(b"".join(each(3 * at_once, STREAM_ERRORS["a malformed request"])))
        attacker.until_cut()
        assert attacker.goaway == PROTOCOL_ERROR


@pytest.mark.parametrize("agreed", [True, False], ids=["after SETTINGS", "before SETTINGS"])
def test_a_call_more_than_are_allowed_at_once(scene, agreed):
    """RFC 9113, section 5.1.2. A client that may not know the limit yet loses that call, any other its connection."""
    at_once = LIMITS["HTTP2Limits.maxConcurrentStreams"]
    with scene.harmless(), Attacker(scene.socket, acknowledges=agreed) as attacker:
        if agreed:
            attacker.agree()
        for frames in each(at_once, lambda s: request(s, SLOW, end=False)):
            assert attacker.send(frames)
        attacker.send(ping())
        attacker.until(lambda: attacker.counts.get("Ping") == 1, what="all of it has been read")
        assert attacker.goaway is None and not attacker.resets
        one_more = 2 * at_once + 1
        attacker.send(request(one_more, SLOW, end=False))
        if agreed:
            attacker.until_cut()
            assert attacker.goaway == PROTOCOL_ERROR
        else:
            attacker.until(lambda: attacker.resets, what="a reset")
            assert attacker.resets == {one_more: REFUSED_STREAM} and attacker.goaway is None


CONNECTION_ERRORS = {
    "a window update of nothing": (lambda s: request(s, SLOW, end=False) + window(s, 0), PROTOCOL_ERROR),
    "DATA on a stream that is closed": (lambda s: request(s, SLOW) + data(s, b"x"), STREAM_CLOSED),
    "a stream that depends on itself": (
        lambda s: request(s, SLOW, end=False) + frame(2, s, s.to_bytes(4, "big") + b"\x10"),
        PROTOCOL_ERROR,
    ),
    "a window of the connection that overflows": (lambda s: window(0, (1 << 31) - 1), FLOW_CONTROL_ERROR),
    "a pushed stream": (lambda s: frame(5, s, (2).to_bytes(4, "big") + block([(b":method", b"GET")]), 4), PROTOCOL_ERROR),
    "an index that is in no table": (lambda s: headers(s, b"\xff\x80\x80\x01"), COMPRESSION_ERROR),
    "a table larger than was agreed": (lambda s: headers(s, b"\x3f\xe1\xff\x03"), COMPRESSION_ERROR),
}


@pytest.mark.parametrize("case", CONNECTION_ERRORS)
def test_what_ends_the_connection_ends_only_that(scene, case):
    frames, code = CONNECTION_ERRORS[case]
    with scene.harmless(), Attacker(scene.socket) as attacker:
        attacker.send(frames(1))
        attacker.until_cut()
        assert attacker.goaway == code


FLOODS = {
    "PING": ping(),
    "SETTINGS": settings(),
    "SETTINGS that change the table's size": settings(HEADER_TABLE_SIZE=0) + settings(HEADER_TABLE_SIZE=4096),
    "SETTINGS that change the window": settings(INITIAL_WINDOW_SIZE=0) + settings(INITIAL_WINDOW_SIZE=1 << 20),
}


@pytest.mark.parametrize("case", FLOODS)
def test_a_flood_that_is_acknowledged_and_never_read(scene, case):
    """CVE-2019-9512 and -9515. Beyond so many acknowledgements that wait, the connection is closed."""
    acknowledgements = LIMITS["HTTP2Limits.maxOutboundAcks"]
    with scene.harmless(growth=acknowledgements * 512 + SLACK), Attacker(scene.socket) as attacker:
        sent = 0
        while sent < 40 * acknowledgements and attacker.send(FLOODS[case] * 1000, reads=False):
            sent += 1000
            if sent % 20_000 == 0:
                scene.others_go_on()
        assert attacker.is_over or attacker.until_cut() is None
        assert attacker.goaway in (None, ENHANCE_YOUR_CALM)
        assert sent >= acknowledgements // 2, "not before the limit"


SILENT = {
    "empty DATA": lambda s: data(s) * 20_000,
    "padding": lambda s: frame(0, s, b"\xff" + b"\x00" * 255, 8) * 1000,  # it counts: within the window
    "PRIORITY of streams that are not there": lambda s: b"".join(
        frame(2, 2 * i + 1001, (2 * i + 999).to_bytes(4, "big") + b"\x10") for i in range(20_000)
    ),
    "frames of an unknown type": lambda s: frame(0xEE, s, b"u" * 100) * 5000,
    "window updates of one byte": lambda s: window(s, 1) * 20_000 + window(0, 1) * 20_000,
}


@pytest.mark.parametrize("case", SILENT)
def test_a_flood_that_asks_for_nothing_costs_nothing(scene, case):
    """CVE-2019-9513, -9518 and the like: the call on that connection still works afterwards."""
    with scene.harmless(), Attacker(scene.socket) as attacker:
        attacker.agree().send(request(1, ECHO, end=False))
        for _ in range(5):
            assert attacker.send(SILENT[case](1))
            scene.others_go_on()
        attacker.send(data(1, framed(b"m"), True))
        attacker.until(lambda: attacker.status(1) == 0, what="the call is answered")
        assert attacker.goaway is None


# Header lists


def test_a_continuation_flood(scene):
    """CVE-2024-27316 and its like: a header section without end."""
    one = frame(9, 1, block([(b"x-more", b"m" * 4000)]))
    with scene.harmless(), Attacker(scene.socket, acknowledges=False) as attacker:
        attacker.send(frame(1, 1, block(request_headers(VERSION))))
        sent = 0
        while attacker.send(one * 10) and sent < 1000:
            sent += 10
        attacker.until_cut()
        assert attacker.goaway == ENHANCE_YOUR_CALM
        # Beyond the limit: what the last read brought, and what was written meanwhile. The socket holds no more of either.
        held = attacker.socket.getsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF) // len(one)
        assert sent <= LIMITS["HTTP2Limits.maxContinuations"] + 2 * held


def test_a_flood_of_empty_continuations(scene):
    with scene.harmless(), Attacker(scene.socket, acknowledges=False) as attacker:
        attacker.send(frame(1, 1, block(request_headers(VERSION))))
        attacker.send(frame(9, 1) * 10_000)
        attacker.until_cut()
        assert attacker.goaway == ENHANCE_YOUR_CALM


def test_a_header_list_up_to_the_limit_passes(scene):
    """16 fields of 60,000 bytes, as a client sends them: a HEADERS frame and 58 CONTINUATIONs."""
    more = [(b"big-%d" % i, b"v" * 60_000) for i in range(16)]
    with scene.harmless(), Attacker(scene.socket) as client:
        client.send(request(1, ECHO, more, end=False) + data(1, framed(b"m"), True))
        client.until(lambda: client.status(1) is not None, what="an answer")
        assert client.goaway is None


def test_a_header_list_over_the_limit_costs_its_stream(scene):
    more = [(b"big-%d" % i, b"v" * 61_000) for i in range(17)] + [(b"big-last", b"v" * 15_000)]
    assert LIMITS["HTTP2Limits.maxHeaderListBytes"] < len(block(more)) < LIMITS["HTTP2Limits.maxContinuations"] * FRAME
    with scene.harmless(), Attacker(scene.socket) as client:
        client.send(request(1, ECHO, more))
        client.until(lambda: 1 in client.resets, what="a reset")
        client.send(request(3, ECHO, end=False) + data(3, framed(b"m"), True))
        client.until(lambda: client.status(3) == 0, what="the next call")


def bomb(stream, fields):
    """A request whose header list repeats one large field of the dynamic table, one byte each time."""
    return headers(stream, block(request_headers(ECHO)) + b"\xbe" * fields, end=False)


BIG_FIELD = b"\x40\x01x" + b"\x7f\xa1\x1e" + b"v" * 4000  # 127 + 0x21 + 0x1e * 128


def test_an_hpack_bomb(scene):
    """CVE-2016-1544: one byte stands for a field of 4,000. A list over 1 MiB costs its stream."""
    with scene.harmless(), Attacker(scene.socket) as attacker:
        attacker.send(headers(1, block(request_headers(ECHO)) + BIG_FIELD, end=False))
        for number, frames in enumerate(each(400, lambda s: bomb(s, 10_000), first=1)):
            attacker.send(frames)
            scene.others_go_on()
        attacker.until(lambda: len(attacker.resets) == 400, what="every one is reset")
        assert attacker.goaway is None


@pytest.fixture
def stalled(place, scene):
    """Where images live: a server that has answered once and reads no more."""
    with H2Server(f"{place}/images.sock", {"end": lambda c, s: c.answer(s)}) as server:
        scene.manager.image = server.path
        with Runtime(scene.socket, before=scene.manager.start) as kubelet:
            kubelet.call("ListImages")
        server.reading.clear()
        yield server


@pytest.fixture
def stuffed(scene, stalled):
    """Someone on the way to it, for whom nothing leaves any more."""
    with Attacker(scene.socket) as attacker:
        attacker.agree().images = block(request_headers(IMAGES))
        attacker.send(headers(1, attacker.images, end=False))
        attacker.send(data(1, b"d" * FRAME) * 60)
        yield attacker
    stalled.reading.set()


def test_header_lists_for_a_runtime_that_does_not_read(scene, stuffed):
    """Bombs within the limit, which cost 260 bytes each to send and 1 MiB to keep; each call is cancelled at once."""
    with scene.harmless(growth=LIMITS["HTTP2Limits.queuedHeaderBytes"] + SLACK):
        stuffed.send(headers(3, stuffed.images + BIG_FIELD, end=False))
        for frames in each(2000, lambda s: headers(s, stuffed.images + b"\xbe" * 255, end=False) + reset(s), first=2):
            stuffed.send(frames)
            scene.others_go_on()
        stuffed.send(headers(9001, stuffed.images))
        stuffed.until(lambda: stuffed.status(9001) == 14, what="UNAVAILABLE")
        stuffed.close()


def test_calls_without_number_for_a_runtime_that_does_not_read(scene, stuffed):
    """Each is cancelled at once, and yet waits in the queue: the resets allowed at once bound what it costs."""
    burst, rate = LIMITS["HTTP2Limits.streamResetBurst"], LIMITS["HTTP2Limits.streamResetsPerSecond"]
    with scene.harmless(growth=burst * 2048):
        began = time.monotonic()
        for number, frames in enumerate(each(100_000, lambda s: headers(s, stuffed.images, end=False) + reset(s), first=1)):
            if not stuffed.send(frames) or stuffed.goaway is not None:
                break
            if number % 50 == 0:
                scene.others_go_on()
        # A build that takes them more slowly than the rate it allows has no reason to end it.
        is_within_the_rate = 200 * number <= burst + (time.monotonic() - began) * rate
        assert stuffed.goaway == INTERNAL_ERROR or (TIME_FACTOR > 1 and is_within_the_rate)
        stuffed.close()


def test_a_queue_without_end_for_a_runtime_that_does_not_read(scene, stuffed):
    """As many as the rate of resets allows, for ever: beyond a limit the runtime's connection is closed."""
    queued, rate = LIMITS["HTTP2Limits.queuedFrames"], LIMITS["HTTP2Limits.streamResetsPerSecond"]
    at_once = LIMITS["HTTP2Limits.streamResetBurst"] - 4000
    with scene.harmless(growth=queued * 2048):
        began = time.monotonic()
        for number, frames in enumerate(each(2 * queued, lambda s: headers(s, stuffed.images, end=False) + reset(s), first=1)):
            while 200 * number > at_once + (time.monotonic() - began) * rate:
                scene.others_go_on()
            assert stuffed.send(frames) and stuffed.goaway is None
            if stuffed.status(1) is not None:
                break
        assert stuffed.status(1) == 14, "what was under way there is over"
        assert 200 * number <= queued + 1000
        stuffed.close()


# Windows


def test_request_bodies_for_a_runtime_that_does_not_read(scene, stuffed):
    """Every stream's window full: no more than the limit is held, the one unread longest is reset."""
    with scene.harmless(growth=BUFFERED + 2 * SLACK), Attacker(scene.socket) as attacker:
        attacker.agree().send(b"".join(request(2 * i + 1, IMAGES, end=False) for i in range(100)))
        for round in range(30):
            for i in range(100):
                attacker.send(data(2 * i + 1, b"d" * FRAME))
            scene.others_go_on()
        attacker.until(lambda: attacker.resets, what="a reset")
        assert set(attacker.resets.values()) == {ENHANCE_YOUR_CALM}
        assert attacker.goaway is None


@pytest.mark.parametrize("way", ["open", "stuffed"])
def test_a_body_in_frames_of_one_byte_for_a_runtime_that_does_not_read(scene, stuffed, way):
    """Each byte comes with a read of its own, which must not be kept for it, nor a write."""
    with scene.harmless(), Attacker(scene.socket) as fresh:
        attacker = stuffed if way == "stuffed" else fresh
        attacker.agree().send(request(3, IMAGES, end=False))
        for number in range(20_000):
            attacker.send(data(3, b"d") + ping() * 16)  # so many acknowledgements are sent at once
            attacker.until(lambda: attacker.counts.get("Ping", 0) > 16 * number, what="it has been read")


def test_trailers_behind_a_body_that_a_runtime_does_not_read(scene, stuffed):
    """A trailer section counts as what it keeps: 1 MiB behind each of 200 bodies."""
    more = block([(b"big-%d" % i, b"v" * 60_000) for i in range(16)])
    with scene.harmless(growth=BUFFERED + 2 * SLACK), Attacker(scene.socket) as attacker:
        attacker.agree()
        for i in range(200):
            s = 2 * i + 1
            attacker.send(request(s, IMAGES, end=False) + data(s, b"d" * FRAME) + headers(s, more))
        scene.others_go_on()
        attacker.until(lambda: attacker.resets, what="a reset")
        assert set(attacker.resets.values()) == {ENHANCE_YOUR_CALM}


@pytest.mark.parametrize("size", [0, 1], ids=["nothing", "one byte"])
def test_answers_that_are_read_by_the_byte(scene, size):
    """CVE-2019-9511 and -9517, data dribble and internal buffering: 40 endless answers, a window of nearly nothing."""
    with scene.harmless(growth=BUFFERED + 2 * SLACK):
        with Attacker(scene.socket, first=settings(INITIAL_WINDOW_SIZE=size)) as attacker:
            for i in range(40):
                attacker.send(request(2 * i + 1, ENDLESS, end=False) + data(2 * i + 1, framed(b"k"), True))
            attacker.until(lambda: attacker.resets, what="the one unread longest is reset")
            for round in range(20):
                attacker.send(b"".join(window(2 * i + 1, 1) for i in range(40) if 2 * i + 1 not in attacker.resets))
                scene.others_go_on()
            assert set(attacker.resets.values()) == {ENHANCE_YOUR_CALM}
            assert attacker.goaway is None


@pytest.mark.parametrize("path", [ECHO, "/runtime.v1.RuntimeService/RunPodSandbox"], ids=["relayed", "hooked"])
def test_header_lists_for_a_runtime_that_has_never_answered(place, start_manager, start_plugin, path):
    """What they hold counts as what waits: of 1 MiB each, no more than the limit."""
    start_plugin(hooks=["PreRunPodSandbox"])
    front = start_manager(f"{place}/nothing.sock")
    more = [(b"big-%d" % i, b"v" * 60_000) for i in range(16)]
    count = 2 * LIMITS["ServerLimits.waitingBytes"] // MIB
    with bounded(front, 2 * LIMITS["ServerLimits.waitingBytes"] + SLACK), Attacker(front.listen) as attacker:
        attacker.agree()
        for i in range(count):
            s = 2 * i + 1
            attacker.send(request(s, path, more, end=False) + data(s, framed(b""), True))
        attacker.until(lambda: len([s for s in attacker.fields if attacker.status(s) == 14]) >= count // 3, what="UNAVAILABLE")
