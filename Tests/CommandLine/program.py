"""The program as somebody in a shell uses it."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

from Peers.manager import BINARY, environment

LONG = 60


def run(*arguments, **variables):
    """Exit code, stdout and stderr, with stdout as a pipe."""
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=LONG,
                          stdin=subprocess.DEVNULL, env=environment(**variables))
    return done.returncode, done.stdout, done.stderr


def run_in_terminal(*arguments, columns=80, **variables):
    """Exit code and what a terminal of so many columns is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs,
                               stderr=subprocess.PIPE, env=environment(**{"TERM": "xterm", **variables}))
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            # A terminal whose other end is closed by all (Linux: EIO).
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    errors = process.stderr.read().decode()
    assert process.wait(LONG) is not None
    assert errors == "", errors
    return process.returncode, text.decode().replace("\r\n", "\n")


def refused(*arguments, code, **variables):
    """The one line with which the program ends, having printed nothing else."""
    exit_code, out, err = run(*arguments, **variables)
    assert (exit_code, out) == (code, ""), (exit_code, out, err)
    assert err.startswith("runtime-manager: ") and err.count("\n") == 1, err
    return err.removeprefix("runtime-manager: ").rstrip("\n")


def lines_fit(text, columns):
    """No line is wider than that, none ends in a space."""
    for line in text.splitlines():
        assert len(line) <= columns, line
        assert line == line.rstrip(), repr(line)
