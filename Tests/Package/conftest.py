"""The package under test, unpacked, and clean Debian systems."""

import contextlib
import shutil

import pytest

from . import debian


@pytest.fixture(scope="session")
def deb():
    return debian.find()


@pytest.fixture(scope="session")
def tree(deb, tmp_path_factory):
    """What the package puts on a node."""
    path = tmp_path_factory.mktemp("tree")
    debian.output("dpkg-deb", "--extract", deb, path)
    return path


@pytest.fixture(scope="session")
def binary(tree):
    return tree / "usr/bin/runtime-manager"


@pytest.fixture(scope="session")
def clean_root(deb, tmp_path_factory):
    """Debian's essential packages and what our package depends on, and nothing else."""
    path = tmp_path_factory.mktemp("root") / "debian"
    debian.make_root(path, debian.dependencies(deb))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start_machine(clean_root, place):
    """Gives a Debian of its own in which the package is not installed, by its name; its path is short, for sockets."""
    with contextlib.ExitStack() as started:
        yield lambda name: started.enter_context(debian.layer(clean_root, f"{place}/{name}"))


@pytest.fixture
def machine(start_machine):
    return start_machine("m")
