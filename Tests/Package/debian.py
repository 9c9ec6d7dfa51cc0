"""The package that `make deb` has made, and Debian systems to install it in.

RUNTIME_MANAGER_DEB names the package (default: the one in .build/deb).
"""

import contextlib
import os
import pathlib
import shutil
import subprocess

from Peers.messages import ROOT


def find():
    """The package under test."""
    if named := os.environ.get("RUNTIME_MANAGER_DEB"):
        return pathlib.Path(named)
    (found,) = (ROOT / ".build" / "deb").glob("*.deb")
    return found


def output(*command, **more):
    """What a command that must succeed, without a word on stderr, prints."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=600, **more)
    assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def field(deb, name):
    return output("dpkg-deb", "--field", deb, name).strip()


def dependencies(deb):
    """The names of the packages that it depends on."""
    return sorted({entry.split()[0] for entry in field(deb, "Depends").split(",")})


def with_version(deb, version, place):
    """The same package as another version of itself."""
    tree = pathlib.Path(place) / f"tree-{version}"
    output("dpkg-deb", "--raw-extract", deb, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(control.read_text().replace(f"Version: {field(deb, 'Version')}\n", f"Version: {version}\n"))
    other = pathlib.Path(place) / f"runtime-manager_{version}.deb"
    # Packed fast: nobody keeps it.
    output("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, other)
    shutil.rmtree(tree)
    return other


def make_root(directory, include):
    """A Debian of essential packages and these, from the mirror that this machine's apt uses."""
    sources = [path for path in ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list") if os.path.exists(path)]
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=essential", "--format=directory", f"--include={','.join(include)}",
         "bookworm", directory, sources[0]],
        capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr


#: Writes down what it is told; `is-active` says whether a test has made /active, `reload` whether there is no /stuck.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>/systemctl.log
case " $* " in
*" is-active "*) test -e /active ;;
*" reload "*) test ! -e /stuck ;;
esac
"""


class Machine:
    """A Debian system of its own in a directory."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory)

    def command(self, *command):
        """The command as one to be run in there, with its own processes and /proc, all of which end with it."""
        enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter, str(self.path), *map(str, command)]

    def run(self, *command):
        return subprocess.run(self.command(*command), capture_output=True, text=True, timeout=600)

    def dpkg(self, *arguments):
        """dpkg in there; it must succeed."""
        done = self.run("dpkg", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def install(self, deb):
        shutil.copy(deb, self.path / "package.deb")
        try:
            return self.dpkg("--install", "/package.deb")
        finally:
            (self.path / "package.deb").unlink()

    def write(self, path, text, mode=0o644):
        file = self.path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def start_systemd(self, active):
        """What maintainer scripts see of a running systemd; what they tell it is in `told`."""
        self.write("/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
        (self.path / "run/systemd/system").mkdir(parents=True)
        if active:
            self.write("/active", "")

    def told(self):
        """What systemctl was told since the last time."""
        log = self.path / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def files(self):
        """All paths in there but those of dpkg and of logs, with what is in them."""
        found = {}
        for folder, names, files in os.walk(self.path):
            names[:] = [name for name in names if os.path.join(folder, name) not in self._not_compared()]
            for name in [*names, *files]:
                path = pathlib.Path(folder, name)
                content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
                found["/" + str(path.relative_to(self.path))] = content
        return found

    def _not_compared(self):
        return {str(self.path / name) for name in ("var/lib/dpkg", "var/log", "var/cache", "proc", "usr/lib", "lib")}


@contextlib.contextmanager
def layer(root, directory):
    """A machine that begins as `root` is; what happens in it stays in memory and ends with it."""
    upper, path = f"{directory}.upper", pathlib.Path(directory)
    with contextlib.ExitStack() as mounted:
        for place in upper, directory:
            os.mkdir(place)
        output("mount", "-t", "tmpfs", "tmpfs", upper)
        # Lazily: a process that was just killed may still be in there.
        mounted.callback(output, "umount", "--lazy", upper)
        for part in "changed", "work":
            os.mkdir(f"{upper}/{part}")
        output("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={root},upperdir={upper}/changed,workdir={upper}/work", directory)
        mounted.callback(output, "umount", "--lazy", directory)
        yield Machine(path)
