"""The program under test, as a process: runtime-manager, or a plain byte relay to check the tests themselves.

RUNTIME_MANAGER names the binary (default: the debug build). `RUNTIME_MANAGER=relay` puts socat in its place; tests
that ask more than a wire then skip.
"""

import contextlib
import os
import signal
import socket as sockets
import subprocess
import threading
import time

from .containerd import dying_with_parent
from .messages import ROOT
from .wait import eventually, freeze, thaw

BINARY = os.environ.get("RUNTIME_MANAGER") or str(ROOT / ".build" / "debug" / "runtime-manager")
IS_RELAY = BINARY == "relay"


def environment(**more):
    """This process's, without what the program would take for its own."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith("RUNTIME_MANAGER_") and name not in ("COLUMNS", "NO_COLOR")}
    return {**ours, **more}


class Manager:
    def __init__(
        self, place, runtime, image=None, hook_dir=None, flags=(), listen=None, umask=-1, start=True, ready=True, prefix=()
    ):
        """`prefix`: a command that ends by running the one after it, such as setpriv."""
        self.place = str(place)
        self.listen = str(listen or os.path.join(self.place, "rm.sock"))
        self.admin = os.path.join(self.place, "admin.sock")
        self.hook_dir = str(hook_dir or os.path.join(self.place, "hooks.d"))
        os.makedirs(self.hook_dir, mode=0o755, exist_ok=True)
        self.runtime, self.image = str(runtime), image
        self.flags = list(flags)
        self.prefix = list(prefix)
        #: Beside this process's own environment.
        self.environment = {}
        self.umask = umask
        self.lines = []
        self._changed = threading.Condition()
        self.process = None
        if start:
            self.start(ready)

    def command(self):
        if IS_RELAY:
            return ["socat", "-b262144", f"UNIX-LISTEN:{self.listen},fork,unlink-early", f"UNIX-CONNECT:{self.runtime}"]
        command = [BINARY, "serve", "--listen", self.listen, "--runtime-endpoint", self.runtime, "--hook-dir", self.hook_dir]
        command += ["--admin", self.admin]
        if self.image:
            command += ["--image-endpoint", str(self.image)]
        return command + self.flags

    def start(self, ready=True):
        if self.process and self.process.poll() is None:
            return self
        self.process = subprocess.Popen(
            dying_with_parent([*self.prefix, *self.command()]),
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=self.umask,
        )
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        if ready:
            eventually(self._serves, what=f"{self.listen} serves connections")
        return self

    def _read(self, pipe):
        for line in pipe:
            with self._changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()

    def _serves(self):
        assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.log()}"
        with sockets.socket(sockets.AF_UNIX) as probe:
            probe.settimeout(1)
            try:
                probe.connect(self.listen)
                # It listens before it serves; gRPC's C core waits only for its shortest back-off.
                return IS_RELAY or bool(probe.recv(1))
            except OSError:
                return False

    def log(self):
        with self._changed:
            return "\n".join(self.lines)

    def log_length(self):
        """For `wait_log`: what is logged from now on."""
        with self._changed:
            return len(self.lines)

    def wait_log(self, text, since=0, within=30):
        """The first log line that contains `text`, waiting for it."""
        with self._changed:
            def found():
                return next((line for line in self.lines[since:] if text in line), None)

            assert self._changed.wait_for(found, within), f"no log line with {text!r}:\n" + "\n".join(self.lines)
            return found()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait_exit(self, within=25):
        return self.process.wait(within)

    @contextlib.contextmanager
    def frozen(self):
        """It is stopped for as long: what its peers send meanwhile it reads at once, in the order of their sending."""
        freeze(self.process)
        try:
            yield
        finally:
            thaw(self.process)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """The end of a test: as an administrator does it, by force if that takes too long."""
        if self.process is None or self.process.poll() is not None:
            return
        self.terminate()
        try:
            self.process.wait(1 if not IS_RELAY else 0.2)
        except subprocess.TimeoutExpired:
            self.kill()
        if IS_RELAY:
            self.kill()

    def restart(self, gracefully=False):
        if gracefully:
            self.terminate()
            assert self.wait_exit(35) == 0, self.log()
        else:
            self.kill()
        self.start()

    def descriptors(self):
        """How many file descriptors it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def anonymous(self):
        """Resident memory that no file backs, in bytes: what it allocated."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

    def arenas(self):
        """glibc's further heaps: each is 64 MiB of addresses, aligned to that, of which what is used can be written to."""
        size, found, last = 64 << 20, 0, None
        with open(f"/proc/{self.process.pid}/maps") as maps:
            for line in maps:
                place, rights = line.split()[:2]
                start, end = (int(part, 16) for part in place.split("-"))
                found += rights == "---p" and end % size == 0 and last == (end - size, start, "rw-p")
                last = start, end, rights
        return found

    def forget_peak(self):
        """The peak of resident memory begins anew."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def peak(self):
        """The most resident memory since `forget_peak`, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run_once(*arguments, within=20):
    """Runs the binary to its end; gives the exit code, stdout and stderr."""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=within)
    return done.returncode, done.stdout, done.stderr
