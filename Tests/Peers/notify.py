"""The service manager's end of sd_notify: a datagram socket that keeps what it was told.

    with NotifySocket(name) as manager:           # a path, or "@" and an abstract name
        environment["NOTIFY_SOCKET"] = manager.name
        manager.wait("READY=1")
"""

import os
import socket
import threading


class NotifySocket:
    def __init__(self, name):
        self.name = str(name)
        #: Each message as its assignments, in the order of arrival.
        self.messages = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self._changed:
                self.messages.append(data.decode().split("\n"))
                self._changed.notify_all()

    def all(self):
        """Every assignment so far."""
        with self._changed:
            return [line for message in self.messages for line in message]

    def length(self):
        """For `wait`: what is said from now on."""
        with self._changed:
            return len(self.messages)

    def wait(self, assignment, since=0, within=60):
        """The first message with this assignment, waiting for it."""
        with self._changed:
            def found():
                return next((message for message in self.messages[since:] if assignment in message), None)

            assert self._changed.wait_for(found, within), f"no {assignment!r}: {self.messages}"
            return found()

    def close(self):
        self._socket.close()
        if not self.name.startswith("@"):
            os.unlink(self.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
