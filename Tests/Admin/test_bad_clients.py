"""Admin clients that are not who they should be, say what is no HTTP, or are far too many. The calls go on."""

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys

import pytest

from Peers.admin import Admin, answers, dial
from Peers.wait import eventually

#: AdminLimits.connections
CONNECTIONS = 32
NOBODY = 65534

GET = b"GET /livez HTTP/1.1\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"


def statuses(received):
    """The status of each answer in a stream of them; every answer must have its length."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        found.append(int(status.split()[1]))
        length = next(int(field.split(b":")[1]) for field in fields if field.startswith(b"content-length"))
        assert len(rest) >= length, "the answer is complete"
        received = rest[length:]
    return found


# Who may ask


def as_nobody(program, *arguments):
    # 65534 has no right to the directory of the test otherwise.
    done = subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c", program, *arguments],
        capture_output=True, timeout=100)
    return (done.stdout + done.stderr).decode()


ASK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
while part := s.recv(65536): sys.stdout.write(part.decode())
"""


def test_the_socket_is_for_its_owner_alone(admin, place):
    assert stat.S_IMODE(os.stat(admin.path).st_mode) == 0o600
    os.chmod(place, 0o755)
    assert "PermissionError" in as_nobody(ASK, admin.path, GET.decode())


@pytest.mark.parametrize("words", [GET.decode(), "PUT /v1/log-level HTTP/1.1\r\nContent-Length: 5\r\n\r\ntrace", "what?\r\n\r\n"])
def test_who_gets_at_it_all_the_same_is_told_no_and_hung_up_on(admin, place, words):
    os.chmod(place, 0o755)
    os.chmod(admin.path, 0o666)
    said = as_nobody(ASK, admin.path, words)
    assert said.startswith("HTTP/1.1 403 Forbidden\r\n") and said.count("HTTP/1.1") == 1
    assert json.loads(said.partition("\r\n\r\n")[2]) == {
        "error": f"this socket is for root and the user that runtime-manager runs as; your process runs as uid {NOBODY}"}
    assert admin.request("GET", "/livez")[0] == 200


def test_the_daemons_own_user_may_ask(place, runtime, start_manager):
    os.chmod(place, 0o777)
    os.chmod(runtime.socket, 0o666)
    front = start_manager(
        runtime, prefix=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"])
    assert Admin(front.admin).request("GET", "/livez")[0] == 200, "root may as well"
    assert "200 OK" in as_nobody(ASK, front.admin, LAST.decode())


# The socket file


def test_it_is_taken_away_at_the_end(admin, manager):
    manager.terminate()
    assert manager.wait_exit(60) == 0
    assert not os.path.exists(admin.path)


def test_a_stale_socket_is_replaced(manager, kubelet):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(manager.admin)
    kubelet.call("Version")
    assert Admin(manager.admin).request("GET", "/livez")[0] == 200


@pytest.fixture
def occupied(place, request):
    """The admin socket's path, where there is something that may not be taken away."""
    path = os.path.join(place, "admin.sock")
    if request.param == "served":
        with socket.socket(socket.AF_UNIX) as served:
            served.bind(path)
            served.listen()
            yield path
    elif request.param == "a directory":
        os.mkdir(path)
        yield path
    else:
        with open(path, "w") as file:
            file.write("content")
        yield path


@pytest.mark.parametrize("occupied", ["served", "a directory", "a file"], indirect=True)
def test_whatever_is_in_the_way_stays_and_calls_are_served_without_an_admin_side(occupied, manager, kubelet):
    before = os.lstat(occupied).st_ino
    kubelet.call("Version")
    assert occupied in manager.wait_log("no admin socket", within=60)
    assert os.lstat(occupied).st_ino == before
    manager.terminate()
    assert manager.wait_exit(60) == 0
    assert os.lstat(occupied).st_ino == before


def test_it_can_be_switched_off(runtime, start_manager, kubelet):
    front = start_manager(runtime, flags=["--admin", "none"])
    kubelet.call("Version")
    assert not os.path.exists(front.admin) and "no admin socket" not in front.log()


# What is no HTTP, or too much of it

FIELD = b"x" * 100


@pytest.mark.parametrize("words, status", [
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"\0" * 100, 400),
    (b"GET /livez\r\n\r\n", 400),
    (b"GET /livez HTTP/9.9\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nno colon\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET /livez HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"PUT /v1/log-level HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 431),
    (b"GET /livez HTTP/1.1\r\na: " + b"b" * 100_000 + b"\r\n\r\n", 431),
    (b"GET /livez HTTP/1.1\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(1000)) + b"\r\n", 431),
    (b"PUT /v1/log-level HTTP/1.1\r\nContent-Length: 4097\r\n\r\n", 413),
    (b"PUT /v1/log-level HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n" + b"a" * 500_000, 413),
    (b"PUT /v1/log-level HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"400\r\n" + b"a" * 0x400 + b"\r\n"
     + b"c01\r\n" + b"a" * 0xc01 + b"\r\n", 413),
    (b"PUT /v1/log-level HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400),
], ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else str(value))
def test_what_is_no_request_gets_one_answer_and_the_end(admin, words, status):
    with dial(admin.path) as client:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(words)
        received = answers(client)
    # What follows the first wrong byte may be read as a further request; nothing of it is answered.
    assert statuses(received) == [status]
    assert json.loads(received.partition(b"\r\n\r\n")[2])["error"]
    assert admin.request("GET", "/livez")[0] == 200


def test_nothing_at_all_is_no_offence(admin):
    for words in [b"", b"\r\n", b"GET /li"]:
        with dial(admin.path) as client:
            client.sendall(words)
            client.shutdown(socket.SHUT_WR)
            answers(client)
    assert admin.request("GET", "/livez")[0] == 200


def test_a_request_may_come_byte_by_byte(admin):
    with dial(admin.path) as client:
        for byte in b"PUT /v1/log-level HTTP/1.1\r\nConnection: close\r\nContent-Length: 4\r\n\r\ninfo":
            client.sendall(bytes([byte]))
        assert statuses(answers(client)) == [200]


def test_requests_in_a_row_are_answered_in_their_order(admin):
    asked = [b"/livez", b"/nothing", b"/v1/pods"] * 30
    with dial(admin.path) as client:
        client.sendall(b"".join(b"GET %s HTTP/1.1\r\n\r\n" % path for path in asked) + LAST)
        assert statuses(answers(client)) == [200, 404, 200] * 30 + [200]


def test_an_answer_comes_also_when_the_client_has_nothing_more_to_say(admin):
    with dial(admin.path) as client:
        client.sendall(GET + GET)
        client.shutdown(socket.SHUT_WR)
        assert statuses(answers(client)) == [200, 200]


def test_content_that_is_announced_is_waited_for(admin):
    with dial(admin.path) as client:
        client.sendall(
            b"PUT /v1/log-level HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"info")
        assert statuses(answers(client)) == [200]


def test_another_protocol_is_not_switched_to(admin):
    with dial(admin.path) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n" + b"x" * 100_000)
        assert statuses(answers(client)) == [200]


def test_a_client_that_asks_for_much_and_reads_nothing_holds_little(admin, manager, life):
    for index in range(20):
        life.pod(annotations={"big": "x" * 50_000})
    eventually(lambda: len(admin.get("/v1/pods")["pods"]) == 20, within=60)
    before = manager.anonymous()
    with contextlib.ExitStack() as open_clients:
        for _ in range(4):
            client = open_clients.enter_context(dial(admin.path))
            client.settimeout(1)
            # Far more than it takes, about 1 MB each.
            with contextlib.suppress(TimeoutError):
                for _ in range(20):
                    client.sendall(b"GET /v1/pods HTTP/1.1\r\n\r\n" * 100)
        assert admin.request("GET", "/livez")[0] == 200
        assert manager.anonymous() - before < 64 << 20
        life.runtime.call("Version")


# Far too many


def test_of_ten_thousand_connections_a_few_dozen_are_served_and_the_calls_go_on(admin, manager, kubelet):
    kubelet.call("Version")
    descriptors = manager.descriptors()
    with contextlib.ExitStack() as open_clients:
        # They do not go while others come.
        held = [open_clients.enter_context(dial(admin.path)) for _ in range(CONNECTIONS)]
        for client in held:
            client.sendall(GET)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
        closed = 0
        for _ in range(10_000 - CONNECTIONS):
            with dial(admin.path) as client:
                try:
                    closed += client.recv(1) == b""
                except ConnectionResetError:
                    closed += 1
        assert closed == 10_000 - CONNECTIONS
        assert manager.log().count("further admin connections are closed") == 1
        for _ in range(100):
            kubelet.call("Version")
        for client in held:
            client.sendall(GET)
            assert client.recv(65536).startswith(b"HTTP/1.1 200"), "those that are served stay so"
    eventually(lambda: manager.descriptors() <= descriptors, within=60, what="all are closed")
    assert admin.request("GET", "/livez")[0] == 200
