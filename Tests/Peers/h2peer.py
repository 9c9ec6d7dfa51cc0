"""HTTP/2 spoken by hand (python3-h2), for what a gRPC library does not do: exact header lists, GOAWAY in mid-flight,
connections cut in mid-answer, broken messages, PINGs at will. `H2Client` is a kubelet, `H2Server` a runtime or a plugin.
"""

import contextlib
import dataclasses
import os
import select
import socket as sockets
import struct
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL = 0, 2, 7, 8
MESSAGE_TYPE = [(b"content-type", b"application/grpc")]
WINDOW = 1 << 20


def framed(message, compressed=False):
    """One gRPC message with its five bytes."""
    return struct.pack(">BI", int(compressed), len(message)) + message


def unframed(data):
    """The messages in these bytes; fails on a rest."""
    messages = []
    while data:
        _, length = struct.unpack(">BI", data[:5])
        assert len(data) >= 5 + length, "a message is cut"
        messages.append(data[5 : 5 + length])
        data = data[5 + length :]
    return messages


def request_headers(path, more=(), timeout=None, authority=b"localhost"):
    headers = [
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", path.encode()),
        (b":authority", authority),
        (b"content-type", b"application/grpc"),
        (b"te", b"trailers"),
    ]
    if timeout:
        headers.append((b"grpc-timeout", timeout.encode()))
    return headers + list(more)


@dataclasses.dataclass(repr=False)
class Stream:
    id: int
    headers: list = None
    data: bytearray = dataclasses.field(default_factory=bytearray)
    trailers: list = None
    ended: bool = False
    reset: int = None
    data_frames: int = 0

    def __repr__(self):
        return (
            f"Stream({self.id}, {str(self.headers)[:300]}, {len(self.data)} bytes, trailers {str(self.trailers)[:300]}, "
            f"ended {self.ended}, reset {self.reset})"
        )

    def header(self, name):
        """All values of a header, wherever it stands."""
        return [v for k, v in (self.headers or []) + (self.trailers or []) if k == name.encode()]

    @property
    def status(self):
        """grpc-status as a number; None before the end."""
        values = self.header("grpc-status")
        return int(values[0]) if values else None

    @property
    def message(self):
        values = self.header("grpc-message")
        return values[0].decode() if values else ""

    @property
    def done(self):
        return self.ended or self.reset is not None


class _H2(h2.connection.H2Connection):
    def _receive_goaway_frame(self, frame):
        """h2 closes the connection at a GOAWAY; streams that are under way go on after one."""
        event = h2.events.ConnectionTerminated()
        event.error_code, event.last_stream_id = frame.error_code, frame.last_stream_id
        event.additional_data = frame.additional_data or None
        return [], [event]


class _End:
    """What both ends share: one socket, one h2 state, a lock."""

    def __init__(self, connection, client_side, ping_per_data=False, give_back=True, max_streams=100):
        """`max_streams`: how many streams at once the other end is allowed."""
        self.socket = connection
        self.lock = threading.RLock()
        self.streams = {}
        self.closed = False
        self.goaway = None
        self.pings_sent = 0
        self.pings_acknowledged = 0
        self.settings_received = False
        self.ping_per_data = ping_per_data
        self.give_back = give_back
        self.h2 = _H2(
            h2.config.H2Configuration(
                client_side=client_side,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
                validate_inbound_headers=False,
                normalize_inbound_headers=False,
            )
        )
        self.h2.initiate_connection()
        self.h2.update_settings(
            {
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 1 << 20,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: max_streams,
            }
        )
        self.h2.increment_flow_control_window(64 << 20)
        self.flush()

    def flush(self):
        with self.lock:
            data = self.h2.data_to_send()
            if data:
                try:
                    self.socket.sendall(data)
                except OSError:
                    self.closed = True

    def close(self):
        """Cuts the connection, as a crash does."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(sockets.SHUT_RDWR)
        self.socket.close()
        self.closed = True

    def send_headers(self, stream, headers, end=False):
        with self.lock:
            self.h2.send_headers(stream, headers, end_stream=end)
            self.flush()

    def send_some(self, stream, data, end=False):
        """Sends as much as flow control allows now; gives what is left."""
        data = memoryview(data)  # what is left of a large body is not copied with each frame
        with self.lock:
            while True:
                room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
                part, data = bytes(data[:room]), data[room:]
                if part or (end and not data):
                    self.h2.send_data(stream, part, end_stream=end and not data)
                self.flush()
                if not data or not part:
                    return data

    def reset(self, stream, code=CANCEL):
        with self.lock:
            self.h2.reset_stream(stream, code)
            self.flush()

    def ping(self):
        with self.lock:
            self.pings_sent += 1
            self.h2.ping(struct.pack(">Q", self.pings_sent))
            self.flush()

    def send_goaway(self, last_stream, code=NO_ERROR):
        """A GOAWAY by hand: h2 itself would not send anything after it."""
        with self.lock:
            self.socket.sendall(struct.pack(">I", 8)[1:] + b"\x07\x00" + struct.pack(">I", 0) + struct.pack(">II", last_stream, code))

    def send_bytes(self, data):
        with self.lock:
            self.socket.sendall(data)

    def _receive(self, timeout):
        """Reads once; gives the events. None at the end of the connection."""
        ready = select.poll()  # select(2) ends at 1,024 descriptors
        ready.register(self.socket, select.POLLIN)
        if not ready.poll(timeout * 1000):
            return []
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return None
        with self.lock:
            events = self.h2.receive_data(data)
            for event in events:
                self._note(event)
            self.flush()
        return events

    def _note(self, event):
        if isinstance(event, (h2.events.RequestReceived, h2.events.ResponseReceived)):
            self._stream(event.stream_id).headers = list(event.headers)
        elif isinstance(event, h2.events.TrailersReceived):
            self._stream(event.stream_id).trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream = self._stream(event.stream_id)
            stream.data += event.data
            stream.data_frames += 1
            if self.give_back and event.flow_controlled_length:
                with contextlib.suppress(h2.exceptions.StreamClosedError):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if self.ping_per_data:
                self.ping()
        elif isinstance(event, h2.events.StreamEnded):
            self._stream(event.stream_id).ended = True
        elif isinstance(event, h2.events.StreamReset):
            self._stream(event.stream_id).reset = event.error_code
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings_acknowledged += 1
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            self.settings_received = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event

    def _stream(self, identifier):
        return self.streams.setdefault(identifier, Stream(identifier))


class H2Client(_End):
    def __init__(self, path, **options):
        connection = sockets.socket(sockets.AF_UNIX)
        connection.connect(str(path))
        super().__init__(connection, client_side=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, path, body=b"", end=True, more=(), timeout=None, headers=None):
        """Sends a request; `body` is what goes into DATA (`framed` makes messages). Gives the stream."""
        with self.lock:
            identifier = self.h2.get_next_available_stream_id()
            empty = end and not body
            self.h2.send_headers(identifier, headers or request_headers(path, more, timeout), end_stream=empty)
            stream = self._stream(identifier)
            self.flush()
        if body:
            self.send(stream, body, end)
        return stream

    def send(self, stream, data, end=False, within=30):
        deadline = time.monotonic() + within
        while True:
            data = self.send_some(stream.id, data, end)
            if not data:
                return
            assert time.monotonic() < deadline and not stream.done and not self.closed, "the body does not leave"
            self._receive(0.1)

    def until(self, condition, within=30, what=""):
        """Reads until `condition()` holds."""
        deadline = time.monotonic() + within
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"not within {within} s: {what}; {self.streams}"
            if self._receive(min(left, 0.5)) is None:
                assert condition(), f"connection ended: {what}; {self.streams}"
                return

    def finish(self, *streams, within=30):
        self.until(lambda: all(s.done for s in streams), within, "all streams end")
        return streams[0] if len(streams) == 1 else streams

    def call(self, path, message=b"", within=30, **options):
        """One unary call; gives the finished stream."""
        return self.finish(self.start(path, framed(message), **options), within=within)


class Connection(_End):
    """The server's side of one connection; `behaviour` methods are called on its thread."""

    def __init__(self, server, connection, **options):
        self.server = server
        super().__init__(connection, client_side=False, **options)

    def run(self):
        try:
            self.server._call("open", self, None)
            while not self.closed:
                self.server.reading.wait()
                events = self._receive(0.5)
                if events is None:
                    break
                for event in events:
                    if isinstance(event, h2.events.RequestReceived):
                        self.server._call("headers", self, self._stream(event.stream_id))
                    elif isinstance(event, h2.events.DataReceived):
                        self.server._call("data", self, self._stream(event.stream_id))
                    elif isinstance(event, h2.events.StreamEnded):
                        self.server._call("end", self, self._stream(event.stream_id))
                    elif isinstance(event, h2.events.StreamReset):
                        self.server._call("reset", self, self._stream(event.stream_id))
                    elif isinstance(event, h2.events.WindowUpdated):
                        self._continue()
        except (OSError, ValueError, h2.exceptions.ProtocolError) as error:
            self.error = error
        finally:
            self.close()
            with self.server.changed:
                self.server.changed.notify_all()

    def answer(self, stream, message=b"", status=0, text="", more=()):
        """A whole unary answer."""
        self.send_headers(stream.id, [(b":status", b"200"), *MESSAGE_TYPE, *more])
        self.send_body(stream, framed(message), trailers=status_trailers(status, text))

    def refuse(self, stream, status, text="", more=()):
        """Trailers only."""
        self.send_headers(stream.id, [(b":status", b"200"), *MESSAGE_TYPE, *status_trailers(status, text), *more], end=True)

    def send_body(self, stream, data, trailers=None):
        with self.lock:
            queue = getattr(stream, "queue", None)
            stream.queue = (bytes(queue[0]) + data if queue else data, trailers)
            self._continue()

    def _continue(self):
        """Sends what flow control held back."""
        with self.lock:
            for stream in list(self.streams.values()):
                queue = getattr(stream, "queue", None)
                if not queue or stream.reset is not None:
                    continue
                rest = self.send_some(stream.id, queue[0]) if queue[0] else b""
                if rest:
                    stream.queue = (rest, queue[1])
                    continue
                stream.queue = None
                if queue[1] is not None:
                    self.send_headers(stream.id, queue[1], end=True)


def status_trailers(status, text=""):
    trailers = [(b"grpc-status", b"%d" % status)]
    return trailers + [(b"grpc-message", text.encode())] if text else trailers


class H2Server:
    """Listens on a unix socket. `behaviour` maps "headers", "data", "end", "reset" to f(connection, stream), and
    "open", a new connection, to f(connection, None).

    Everything seen is kept in `connections`; `wait` blocks until something holds of it. `listener` is a socket that
    listens already.
    """

    def __init__(self, path, behaviour=None, listener=None, **options):
        self.path = str(path)
        self.behaviour = behaviour or {"end": lambda c, s: c.answer(s, bytes(s.data[5:]))}
        self.options = options
        self.connections = []
        #: Cleared, it reads nothing more, as a server that hangs.
        self.reading = threading.Event()
        self.reading.set()
        self.changed = threading.Condition()
        self._open(listener)

    def _open(self, listener=None):
        self.listener = listener or sockets.socket(sockets.AF_UNIX)
        if not listener:
            self.listener.bind(self.path)
            self.listener.listen(1024)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
                end = Connection(self, connection, **self.options)
            except OSError:
                return
            with self.changed:
                self.connections.append(end)
                self.changed.notify_all()
            threading.Thread(target=end.run, daemon=True).start()

    def _call(self, name, connection, stream):
        function = self.behaviour.get(name)
        if function:
            function(connection, stream)
        with self.changed:
            self.changed.notify_all()

    def wait(self, condition, within=30, what=""):
        with self.changed:
            value = self.changed.wait_for(condition, within)
            assert value, f"not within {within} s: {what}"
            return value

    def streams(self, path=None):
        """Every stream on every connection, oldest first."""
        return [
            (connection, stream)
            for connection in list(self.connections)
            for stream in list(connection.streams.values())
            if path is None or stream.header(":path") == [path.encode()]
        ]

    def stop(self):
        self.reading.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(sockets.SHUT_RDWR)
        self.listener.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        for connection in list(self.connections):
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
