"""Plugins that misbehave, one for each row of `plugin_verdicts.FAULTS`, and one that does not.

    plugin = Plugin(path, "GOAWAY at once", who="faulty")
    plugin.heal()                     # from now on it answers as it should, on the same path
    plugin.heard(is_healed=False)     # the requests that it was sent before
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading

import h2.exceptions

from Peers.h2peer import INTERNAL_ERROR, REFUSED_STREAM, H2Server, framed, status_trailers
from Peers.messages import hook
from Peers.recorder import POD_HOOKS, SERVICE
from Faults.plugin_verdicts import CODES, GOOD, STOPS, UPDATED

STRANGER = 64321
MiB = 1 << 20
OK_HEADERS = [(b":status", b"200"), (b"content-type", b"application/grpc")]
GARBAGE = b"\xff" * 9 + b"this is no frame" * 20


def hook_of(stream):
    return stream.header(":path")[0].decode().removeprefix(SERVICE).removesuffix("Hook")


def request_of(hook_name, message):
    kind = hook.PodSandboxHookRequest if hook_name in POD_HOOKS else hook.ContainerResourceHookRequest
    return kind.FromString(message)


# What they answer


def wanted(hook_name, who):
    """The change that `who` asks for where the hook point has one: an annotation, or resources of a container."""
    if hook_name in POD_HOOKS:
        return hook.PodSandboxHookResponse(annotations={} if hook_name in STOPS else {who: "1"})
    answer = hook.ContainerResourceHookResponse()
    if hook_name == "PreCreateContainer":
        answer.container_annotations[who] = "1"
    elif hook_name not in STOPS:
        setattr(answer.container_resources, SHARE[who], 3000)
    return answer


#: Different fields, so that two plugins never conflict.
SHARE = {"faulty": "cpu_quota", "other": "cpu_shares"}


def forbidden(hook_name, who):
    """A change that nobody may make beside one that is allowed."""
    answer = wanted(hook_name, who)
    if hook_name in POD_HOOKS:
        answer.labels["io.kubernetes.pod.forbidden"] = "1"
    elif hook_name == "PreCreateContainer":
        answer.container_annotations["io.kubernetes.container.forbidden"] = "1"
    else:
        answer.container_envs["forbidden"] = "1"
    return answer


def of_the_other_kind(hook_name, who):
    """A pod's answer for a container and the other way: the bytes of its first field mean something else here."""
    if hook_name in POD_HOOKS:
        return hook.ContainerResourceHookResponse(container_annotations={who: "1"})
    return hook.PodSandboxHookResponse(labels={who: "1"})


def marks(message):
    """Whose changes a message shows, of CRI or of the hook protocol: requests of one object, all fields."""
    found = set()
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            found |= {name for name in ("faulty", "other", "forbidden") for key in value if key.endswith(name)}
        elif field.message_type and field.label == 3:
            found |= set().union(*(marks(part) for part in value))
        elif field.message_type:
            found |= marks(value)
        else:
            found |= {who for who, name in SHARE.items() if field.name == name and value == 3000}
    return frozenset(found)


def answer_with(message):
    return lambda c, s: c.answer(s, message(hook_of(s), "faulty").SerializeToString())


def body(data, headers=OK_HEADERS, trailers=status_trailers(0)):
    """Answers this DATA."""

    def end(connection, stream):
        connection.send_headers(stream.id, headers)
        connection.send_body(stream, data, trailers)

    return end


def not_found(connection, stream):
    connection.send_headers(stream.id, [(b":status", b"404"), (b"content-type", b"text/html")])
    connection.send_some(stream.id, b"<p>not found</p>", end=True)


HALF = framed(b"x" * 100)[:40]


def stops_in_mid_answer(connection, stream):
    connection.send_headers(stream.id, OK_HEADERS)
    connection.send_body(stream, HALF)


def closes_in_mid_answer(connection, stream):
    stops_in_mid_answer(connection, stream)
    connection.close()


def drips(connection, stream):
    """One byte a second, for as long as anybody listens."""

    def drip():
        with contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            connection.send_headers(stream.id, OK_HEADERS)
            for byte in framed(b"x" * 1000):
                if stream.done and stream.reset is not None or connection.closed:
                    return
                connection.send_some(stream.id, bytes([byte]))
                threading.Event().wait(1)

    threading.Thread(target=drip, daemon=True).start()


#: What is done when a request is complete ("end") or a connection has been taken ("open").
SPOKEN = {
    GOOD: {"end": answer_with(wanted)},
    "reads and never answers": {},
    "drips one byte a second": {"end": drips},
    "stops in mid-answer": {"end": stops_in_mid_answer},
    "closes in mid-answer": {"end": closes_in_mid_answer},
    "closes the connection": {"end": lambda c, s: c.close()},
    "hangs up at once": {"open": lambda c, s: c.close()},
    "resets the stream": {"end": lambda c, s: c.reset(s.id, INTERNAL_ERROR)},
    "refuses the stream": {"end": lambda c, s: c.reset(s.id, REFUSED_STREAM)},
    "GOAWAY at once": {"open": lambda c, s: c.send_goaway(0)},
    "garbage frames": {"end": lambda c, s: c.send_bytes(GARBAGE)},
    "garbage at once": {"open": lambda c, s: c.send_bytes(GARBAGE)},
    "is no gRPC server": {"end": not_found},
    "answers without a status": {"end": body(framed(b""), trailers=[(b"x-trailer", b"1")])},
    "16 MiB answer": {"end": body(framed(b"\x0a\x00" * (8 * MiB)))},
    "no message": {"end": body(b"")},
    "two messages": {"end": body(framed(b"") * 2)},
    "compressed answer": {"end": body(framed(b"", compressed=True), [*OK_HEADERS, (b"grpc-encoding", b"gzip")])},
    "undecodable message": {"end": body(framed(b"\xff\xff\xff\xff no protobuf"))},
    "message of the other kind": {"end": answer_with(of_the_other_kind)},
    "empty message": {"end": body(framed(b""))},
    "forbidden change": {"end": answer_with(forbidden)},
    **{f"code {name}": {"end": lambda c, s, n=number: c.refuse(s, n, "because")} for number, name in CODES.items()},
}
#: These never hear anything.
UNSPOKEN = {
    "socket absent", "socket refused", "socket not permitted", "socket of another user", "accepts and is silent",
}
#: Answers in turn badly and well.
FLAPPING = "flapping"


class Mute:
    """Takes connections and does not even read."""

    def __init__(self, path):
        self.path = path
        self.taken = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.listener.accept()[0])

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for one in [self.listener, *self.taken]:
            one.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


class Plugin:
    """A plugin on `path` with this fault; counts what it hears, whole requests only."""

    def __init__(self, path, fault=GOOD, who="other", stranger=None):
        """`stranger`: the listening socket of a "socket of another user"."""
        self.path, self.fault, self.who = path, fault, who
        self._heard = []
        self._lock = threading.Lock()
        self._servers = []
        if fault == "socket absent":
            return
        if fault == "socket refused":
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(path)
        elif fault == "accepts and is silent":
            self._servers.append(Mute(path))
        else:
            self._serve(fault == GOOD, stranger)
        if fault == "socket not permitted":
            os.chown(path, STRANGER, STRANGER)
            os.chmod(path, 0o600)

    def _serve(self, is_good, listener=None):
        """What this server hears counts as `is_good` says, also what it hears late."""
        behaviour = {"end": lambda c, s: self._end(c, s, is_good)}
        if not is_good and "open" in SPOKEN.get(self.fault, {}):
            behaviour["open"] = SPOKEN[self.fault]["open"]
        self._servers.append(H2Server(self.path, behaviour, listener=listener))

    def _end(self, connection, stream, is_good):
        with self._lock:
            if self.fault == FLAPPING:
                is_good = len(self._heard) % 2 == 1
            self._heard.append((is_good, hook_of(stream), bytes(stream.data[5:])))
        if is_good:
            connection.answer(stream, wanted(hook_of(stream), self.who).SerializeToString())
        else:
            fault = "closes the connection" if self.fault == FLAPPING else self.fault
            SPOKEN.get(fault, {}).get("end", lambda c, s: None)(connection, stream)

    def heal(self):
        """Starts it again, as it should be; one that flaps stays as it is."""
        if self.fault == FLAPPING:
            return
        self.stop()
        self._serve(True)

    def stop(self):
        for server in self._servers:
            server.stop()
        with contextlib.suppress(OSError):
            os.unlink(self.path)

    def heard(self, hook_name=None, is_healed=None):
        """The requests, as bytes, that it was sent while it was good, or while it was not."""
        with self._lock:
            return [
                message for is_good, name, message in self._heard
                if hook_name in (None, name) and is_healed in (None, is_good)
            ]

    def open_streams(self):
        """How many calls are still open on connections that are."""
        count = 0
        for server in self._servers:
            for connection in getattr(server, "connections", []):
                with connection.lock:
                    count += 0 if connection.closed else connection.h2.open_inbound_streams
        return count


LISTENER = """
import os, socket, sys
os.setresgid({0}, {0}, {0})
os.setresuid({0}, {0}, {0})
with socket.socket(fileno=int(sys.argv[1])) as back:
    for path in sys.argv[2:]:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path)
            os.chmod(path, 0o777)
            one.listen(16)
            socket.send_fds(back, [b"."], [one.fileno()])
""".format(STRANGER)


def listening_as_stranger(paths):
    """Listening sockets of another user on these paths. It is who listens that counts, not who accepts."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            done = subprocess.run(
                [sys.executable, "-c", LISTENER, str(theirs.fileno()), *paths],
                pass_fds=[theirs.fileno()], capture_output=True, text=True, timeout=60,
            )
        assert done.returncode == 0, done.stderr
        return [socket.socket(fileno=socket.recv_fds(ours, 1, 1)[1][0]) for _ in paths]
