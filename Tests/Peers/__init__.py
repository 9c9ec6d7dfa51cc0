"""The other ends of RuntimeManager's sockets, for tests: independent of its own code.

Everything here stands on gRPC's C core (grpcio) or on python3-h2, and on Debian packages only.
"""

import os
import sys

# Before gRPC is loaded: its handlers at fork wait for its own threads, now and then for ever, and we start processes.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
assert "grpc" not in sys.modules, "import Peers before grpc"
