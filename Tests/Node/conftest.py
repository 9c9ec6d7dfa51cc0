import os

import pytest


@pytest.fixture(autouse=True)
def no_tracing(monkeypatch):
    """In a service's sandbox nobody may trace a process, which is how LeakSanitizer looks for leaks."""
    if "ASAN_OPTIONS" in os.environ:
        monkeypatch.setenv("ASAN_OPTIONS", os.environ["ASAN_OPTIONS"] + ":detect_leaks=0")
