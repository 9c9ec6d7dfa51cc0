"""Filling the Store: pods and containers through RuntimeManager, and a look at what their records cost."""

import os
import re
import sys
from concurrent import futures

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from Peers.admin import Admin  # noqa: E402
from Peers.cri import Runtime, container_config, pod_config  # noqa: E402

PODS, CONTAINERS = 500, 2_000


def envs(count):
    return [(f"EXAMPLE_SERVICE_PORT_{index}", f"tcp://10.96.0.10:{10_000 + index}") for index in range(count)]


def annotations():
    return {"io.kubernetes.container.hash": "7c5ddbdf", "io.kubernetes.container.terminationMessagePolicy": "File",
            "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
            "io.kubernetes.pod.terminationGracePeriod": "30"}


def container(env_count):
    return container_config(envs=envs(env_count), annotations=annotations(), cpu_shares=1024,
                            memory_limit_in_bytes=256 << 20, oom_score_adj=900)


def look(manager):
    """Bytes: what a manager has for its own, and what the Store's records serialize to, as it counts them itself. In this
    order of asking, so that what the first scrape costs is in every look."""
    text = Admin(manager.admin).request("GET", "/metrics")[2]
    serialized = float(re.search(r"^runtime_manager_store_bytes (\S+)$", text, re.M)[1])
    return manager.memory().own, serialized


def fill(socket, pods, containers, env_count, after_pods=lambda: None):
    """Runs `pods` pod sandboxes and creates `containers` containers in them; calls `after_pods` between."""
    with Runtime(socket) as kubelet, futures.ThreadPoolExecutor(8) as eight:
        configs = [pod_config() for _ in range(pods)]
        ids = list(eight.map(kubelet.run_pod, configs))
        after_pods()
        create = lambda index: kubelet.create(ids[index % pods], container(env_count), configs[index % pods])
        return list(eight.map(create, range(containers)))
