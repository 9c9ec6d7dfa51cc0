"""What is in the package, and what it says of itself."""

import functools
import gzip
import re
import subprocess

import pytest

from Documentation.readme import ROOT, source

from . import debian

#: lintian takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(900)

VERSION = re.search(r'^let version = "(.*)"$', source("Version.swift"), re.M)[1]

#: Each file that is there, as a pattern, and how many there must be at least.
FILES = {
    r"/usr/bin/runtime-manager": 1,
    r"/etc/runtime-manager/config\.yaml": 1,
    r"/lib/systemd/system/runtime-manager\.(service|socket)": 1,
    r"/lib/systemd/system/kubelet\.service\.d/20-runtime-manager\.conf": 1,
    r"/usr/share/man/man8/runtime-manager\.8\.gz": 1,
    r"/usr/share/bash-completion/completions/runtime-manager": 1,
    r"/usr/share/zsh/vendor-completions/_runtime-manager": 1,
    r"/usr/share/fish/vendor_completions\.d/runtime-manager\.fish": 1,
    r"/usr/share/runtime-manager/hook\.proto": 1,
    r"/usr/share/doc/runtime-manager/(README\.md|NOTICE|copyright|changelog\.gz|docs/(threat-model|upgrade)\.md)": 6,
    r"/usr/share/doc/runtime-manager/examples/hookserver\.d/[\w-]+\.json": 3,
    r"/usr/share/doc/runtime-manager/examples/[\w./-]+": 5,
    r"/usr/share/lintian/overrides/runtime-manager": 1,
}


@functools.cache
def listed(deb):
    """Mode, owner and path of each entry."""
    return [(line.split()[0], line.split()[1], line.split()[5][1:]) for line in debian.output("dpkg-deb", "--contents", deb).splitlines()]


def test_every_file_is_known_here_and_none_is_missing(deb):
    files = [path for mode, _, path in listed(deb) if not mode.startswith("d")]
    for pattern, least in FILES.items():
        assert len([path for path in files if re.fullmatch(pattern, path)]) >= least, pattern
    assert [path for path in files if not any(re.fullmatch(pattern, path) for pattern in FILES)] == []


def test_all_belongs_to_root_and_nobody_else_may_write(deb):
    for mode, owner, path in listed(deb):
        program = path == "/usr/bin/runtime-manager"
        assert (mode, owner) == (("drwxr-xr-x" if path.endswith("/") else "-rwxr-xr-x" if program else "-rw-r--r--"), "root/root"), path


def test_the_registration_directory_is_there_and_empty(deb):
    assert [path for _, _, path in listed(deb) if path.startswith("/etc/runtime/")] == ["/etc/runtime/", "/etc/runtime/hookserver.d/"]


def test_every_file_in_etc_is_the_administrators(deb, tmp_path):
    debian.output("dpkg-deb", "--control", deb, tmp_path)
    conffiles = tmp_path / "conffiles"
    marked = conffiles.read_text().splitlines() if conffiles.exists() else []
    assert sorted(marked) == sorted(path for mode, _, path in listed(deb) if path.startswith("/etc/") and not mode.startswith("d"))


def test_lintian_has_nothing_to_say(deb):
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", str(deb)],
        capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_all_say_the_same_version(deb, tree, binary):
    assert debian.field(deb, "Version") == VERSION
    assert debian.output(binary, "--version") == f"runtime-manager {VERSION}\n"
    assert (ROOT / "deploy/debian/changelog").read_text().startswith(f"runtime-manager ({VERSION}) ")
    page = gzip.decompress((tree / "usr/share/man/man8/runtime-manager.8.gz").read_bytes()).decode()
    assert f'"runtime\\-manager {VERSION}"' in page


def test_it_depends_on_the_c_library_that_its_relocations_need(deb, binary):
    assert "GLIBC_ABI_DT_RELR" in debian.output("readelf", "--wide", "--version-info", binary)
    least = re.search(r"\blibc6 \(>= ([^)]+)\)", debian.field(deb, "Depends"))[1]
    assert subprocess.run(["dpkg", "--compare-versions", least, "ge", "2.36"]).returncode == 0


def test_the_binary_looks_for_libraries_where_the_system_does(binary):
    assert not re.search(r"R(UN)?PATH", debian.output("readelf", "--wide", "--dynamic", binary))


def test_what_is_constant_cannot_be_written(binary):
    sections = debian.output("readelf", "--wide", "--sections", binary)
    flags = {name: flags for name, flags in re.findall(r"\] (\S+) +(?:\S+ +){5}([A-Zao]+) ", sections)}
    constant = [name for name in flags if re.match(r"\.text|\.rodata|\.eh_frame|swift5_(?!backtrace)", name)]
    assert len(constant) > 10 and [name for name in constant if "W" in flags[name]] == []
    # Nor, once it has started, what the loader has relocated: the whole table of its addresses is filled in before.
    assert "GNU_RELRO" in debian.output("readelf", "--wide", "--segments", binary)
    assert re.search(r"FLAGS_1.*\bNOW\b.*\bPIE\b", debian.output("readelf", "--wide", "--dynamic", binary))


def test_every_package_that_is_linked_in_is_in_the_copyright_file(tree):
    # Packages for the build alone would be named as well; there are none.
    named = (tree / "usr/share/doc/runtime-manager/copyright").read_text().split()
    assert {path.name for path in (ROOT / ".build/checkouts").iterdir()} | {"libyaml"} <= set(named)


def test_the_same_sources_give_the_same_bytes(deb, tmp_path):
    release = ROOT / ".build/release/runtime-manager"
    again = debian.output(ROOT / "deploy/debian/build", release, tmp_path / "deb").strip()
    assert debian.output("sha256sum", again).split()[0] == debian.output("sha256sum", deb).split()[0]
