"""A client of the admin socket on Python's http.client."""

import http.client
import json
import socket

from .wait import eventually

#: An answer comes at once; this is for a machine that is very busy.
PATIENCE = 60


class AdminConnection(http.client.HTTPConnection):
    """One connection, which is kept."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = dial(self.path)


def dial(path):
    """A connected socket, to say on it what http.client would not."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(path)
    return connection


class Admin:
    """Each request on a connection of its own. Made when the socket is served, which may be after the calls are."""

    def __init__(self, path):
        self.path = path
        eventually(self._serves, within=PATIENCE, what=f"{path} is served")

    def _serves(self):
        try:
            dial(self.path).close()
            return True
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def request(self, method, target, body=None, headers=()):
        """Status, headers and content."""
        connection = AdminConnection(self.path)
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def get(self, target):
        """A JSON document."""
        status, headers, content = self.request("GET", target)
        assert status == 200, content
        assert headers["content-type"] == "application/json"
        return json.loads(content)

    def refused(self, method, target, body=None, headers=()):
        """Status and the whole document of a request that is not granted."""
        status, headers, content = self.request(method, target, body, headers)
        document = json.loads(content)
        assert document["error"]
        return status, document

    def why(self, id):
        """The account of an object; nothing if there is none yet."""
        status, _, content = self.request("GET", f"/v1/why/{id}")
        return json.loads(content) if status == 200 and json.loads(content)["calls"] else None

    def plugin(self, name):
        return next(plugin for plugin in self.get("/v1/plugins")["plugins"] if plugin["name"] == name)


def answers(connection):
    """All that comes until the other side hangs up, as bytes."""
    received = b""
    while part := connection.recv(65536):
        received += part
    return received
