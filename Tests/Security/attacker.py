"""HTTP/2 frame by frame, for what no library would send: floods, tiny windows, header blocks without end.

An `Attacker` is one connection, as its client or its server. It obeys no limit, and reads only when it is told to, so
that a peer that never reads can be played as well. `EvilServer` is a runtime or a plugin made of such connections.
"""

import contextlib
import os
import select
import socket as sockets
import threading
import time

import hpack
from hyperframe.frame import ContinuationFrame, DataFrame, Frame, GoAwayFrame, HeadersFrame, RstStreamFrame, SettingsFrame

from Peers.h2peer import framed, request_headers

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR = 1, 2, 3, 5, 6
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 7, 8, 9, 11
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS = 1, 4, 3
FRAME = 16384
VERSION = "/runtime.v1.RuntimeService/Version"


def frame(kind, stream=0, payload=b"", flags=0):
    """Any frame, right or wrong."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def block(fields):
    """A header block that neither uses nor fills the dynamic table: the same bytes do for every stream."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)


def _string(data):
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, out = len(data) - 127, b"\x7f"
    while rest >= 128:
        out += bytes([rest % 128 + 128])
        rest //= 128
    return out + bytes([rest]) + data


def headers(stream, data, end=True):
    """A header block as one HEADERS frame and as many CONTINUATIONs as it takes."""
    parts = [data[i : i + FRAME] for i in range(0, len(data), FRAME)] or [b""]
    frames = [HeadersFrame(stream, parts[0])] + [ContinuationFrame(stream, part) for part in parts[1:]]
    if end:
        frames[0].flags.add("END_STREAM")
    frames[-1].flags.add("END_HEADERS")
    return b"".join(one.serialize() for one in frames)


def request(stream, path=VERSION, more=(), end=True):
    return headers(stream, block(request_headers(path, more)), end)


def data(stream, payload=b"", end=False):
    return frame(0, stream, payload, int(end))


def reset(stream, code=CANCEL):
    return frame(3, stream, code.to_bytes(4, "big"))


def settings(**values):
    """`settings(HEADER_TABLE_SIZE=0)`."""
    codes = {"HEADER_TABLE_SIZE": 1, "ENABLE_PUSH": 2, "MAX_CONCURRENT_STREAMS": 3, "INITIAL_WINDOW_SIZE": 4}
    return frame(4, 0, b"".join(codes[k].to_bytes(2, "big") + v.to_bytes(4, "big") for k, v in values.items()))


def ping(number=0):
    return frame(6, 0, number.to_bytes(8, "big"))


def window(stream, count):
    return frame(8, stream, count.to_bytes(4, "big"))


def answer(stream, message=b"", more=()):
    """A whole unary answer."""
    first = block([(b":status", b"200"), (b"content-type", b"application/grpc"), *more])
    return headers(stream, first, False) + data(stream, framed(message)) + headers(stream, block([(b"grpc-status", b"0")]))


class Attacker:
    def __init__(self, path=None, connection=None, first=settings(), acknowledges=True):
        """`path` to dial, or a `connection` that was accepted. `first` is the first frame, which must be SETTINGS."""
        self.is_server = connection is not None
        if not self.is_server:
            connection = sockets.socket(sockets.AF_UNIX)
            connection.connect(str(path))
        self.socket = connection
        self.socket.setblocking(False)
        self.acknowledges = acknowledges
        #: What has arrived: frames by name, GOAWAY's code, resets, header fields and number of DATA bytes by stream.
        self.counts = {}
        self.goaway = None
        self.resets = {}
        self.fields = {}
        self.data = {}
        self.is_over = False
        self._received = b""
        self._preface_left = len(PREFACE) if self.is_server else 0
        self._unsent = bytearray(b"" if self.is_server else PREFACE) + first
        self._block = b""
        self._decoder = hpack.Decoder()
        self._decoder.max_header_list_size = 1 << 30

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def _poll(self, events, timeout):
        """Which of the events are there, within `timeout`; select(2) ends at 1,024 descriptors."""
        poll = select.poll()
        poll.register(self.socket, events)
        ready = poll.poll(timeout * 1000)
        return ready[0][1] if ready else 0

    def send(self, frames=b"", reads=True, within=60):
        """Sends all of it, and reads meanwhile unless told not to. Gives False if the peer hung up before."""
        self._unsent += frames
        deadline = time.monotonic() + within
        while self._unsent and not self.is_over:
            events = self._poll(select.POLLOUT | (select.POLLIN if reads else 0), 1)
            if events & ~select.POLLIN:
                try:
                    count = self.socket.send(self._unsent[: 1 << 18])
                    del self._unsent[:count]
                except BlockingIOError:
                    pass
                except OSError:
                    # The peer hung up: what it said before, its GOAWAY say, is still to be read.
                    while not self.is_over:
                        self.read()
                        assert time.monotonic() < deadline, f"neither written to nor at its end: {self}"
            if events & select.POLLIN:
                self.read(0)
            assert time.monotonic() < deadline, f"what is sent does not leave: {self}"
        return not self.is_over

    def read(self, timeout=0.1):
        """Reads once, if there is something within `timeout`."""
        if not self._poll(select.POLLIN, timeout):
            return
        try:
            received = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self.is_over = True
            return
        self._received += received
        skipped = min(self._preface_left, len(self._received))
        self._received, self._preface_left = self._received[skipped:], self._preface_left - skipped
        at = 0
        while len(self._received) >= at + 9:
            length = int.from_bytes(self._received[at : at + 3], "big")
            if len(self._received) < at + 9 + length:
                break
            one, _ = Frame.parse_frame_header(memoryview(self._received[at : at + 9]))
            one.parse_body(memoryview(self._received[at + 9 : at + 9 + length]))
            at += 9 + length
            self._note(one)
        self._received = self._received[at:]

    def _note(self, one):
        name = type(one).__name__.removesuffix("Frame")
        self.counts[name] = self.counts.get(name, 0) + 1
        if isinstance(one, SettingsFrame) and "ACK" not in one.flags and self.acknowledges:
            self._unsent += frame(4, flags=1)
        elif isinstance(one, GoAwayFrame):
            self.goaway = one.error_code
        elif isinstance(one, RstStreamFrame):
            self.resets[one.stream_id] = one.error_code
        elif isinstance(one, (HeadersFrame, ContinuationFrame)):
            self._block += one.data
            if "END_HEADERS" in one.flags:
                self.fields.setdefault(one.stream_id, {}).update(self._decoder.decode(self._block, raw=True))
                self._block = b""
        elif isinstance(one, DataFrame):
            self.data[one.stream_id] = self.data.get(one.stream_id, 0) + len(one.data)

    def until(self, condition, within=30, what=""):
        """Reads until `condition()` holds."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, f"not within {within} s: {what}; {self}"
            assert not self.is_over, f"the connection ended: {what}; {self}"
            self.read()
            self.send()

    def agree(self):
        """Reads until both SETTINGS are in force: only then are windows as large as the peer allows."""
        self.until(lambda: self.counts.get("Settings", 0) >= 2, what="SETTINGS and their acknowledgement")
        self.send()
        return self

    def until_cut(self, within=30):
        """Reads until the peer has hung up."""
        self.until(lambda: self._cut(), within, "the peer hangs up")

    def _cut(self):
        if not self.is_over:
            self.read(0)
        return self.is_over

    def status(self, stream):
        """grpc-status of an answer, None before its end."""
        status = self.fields.get(stream, {}).get(b"grpc-status")
        return None if status is None else int(status)

    def __repr__(self):
        return f"Attacker({self.counts}, goaway {self.goaway}, over {self.is_over}, resets {len(self.resets)}: {dict(list(self.resets.items())[:3])})"


class EvilServer:
    """A runtime or plugin. Each request for `path` is handed to `attack(attacker, stream)`; others get `answers`.

    `attack` runs on the thread of its connection; what it gives is sent and the connection goes on. `first` is the
    SETTINGS frame of each connection.
    """

    def __init__(self, socket, path, attack, answers=None, first=settings()):
        self.socket = str(socket)
        self.path = path.encode()
        self.attack = attack
        self.answers = answers or {}
        self.first = first
        self.attacks = 0
        self.connections = []
        self._listener = sockets.socket(sockets.AF_UNIX)
        self._listener.bind(self.socket)
        self._listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            attacker = Attacker(connection=connection, first=self.first)
            self.connections.append(attacker)
            threading.Thread(target=self._serve, args=(attacker,), daemon=True).start()

    def _serve(self, attacker):
        seen = set()
        with contextlib.suppress(OSError, ValueError, AssertionError):
            while not attacker.is_over:
                attacker.send()
                attacker.read(0.2)
                for stream in [s for s in attacker.fields if s not in seen]:
                    seen.add(stream)
                    path = attacker.fields[stream].get(b":path", b"")
                    if path == self.path:
                        self.attacks += 1
                        attacker.send(self.attack(attacker, stream) or b"")
                    else:
                        attacker.send(answer(stream, self.answers.get(path.decode().rsplit("/", 1)[1], b"")))
        attacker.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._listener.shutdown(sockets.SHUT_RDWR)
        self._listener.close()
        for connection in self.connections:
            connection.is_over = True
        with contextlib.suppress(OSError):
            os.unlink(self.socket)
