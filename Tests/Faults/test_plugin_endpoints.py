"""A plugin's endpoint over time: sockets that are replaced."""

import os

from Peers.h2peer import H2Server, framed, status_trailers
from Peers.recorder import register
from Wire.expect import refused

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
