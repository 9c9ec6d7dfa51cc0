import pytest

from Peers.admin import Admin


@pytest.fixture
def admin(manager):
    """The admin side of the program under test, which is running."""
    manager.start()
    manager.wait_log("store rebuilt", within=60)
    return Admin(manager.admin)
