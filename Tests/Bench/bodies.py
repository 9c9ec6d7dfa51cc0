"""Request messages of the bench, encoded by hand: no generated code is between the bench and the wire."""

import struct

STATUS = "/runtime.v1.RuntimeService/Status"
RUN_POD = "/runtime.v1.RuntimeService/RunPodSandbox"
CREATE = "/runtime.v1.RuntimeService/CreateContainer"
LIST = "/runtime.v1.RuntimeService/ListContainers"
HOOK = "/runtime.v1alpha1.RuntimeHookService/PreRunPodSandboxHook"

UID = "6f0c3c9e-1f5b-4d59-9a43-0c7f5a1f2f4e"


def varint(value):
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def pairs(number, entries):
    return b"".join(field(number, field(1, key) + field(2, value)) for key, value in entries.items())


def framed(message):
    """A gRPC message with its five-byte prefix."""
    return struct.pack(">BI", 0, len(message)) + message


def opaque(size):
    """A message of about `size` bytes: one field that CRI does not have."""
    return field(1000, b"a" * (size - 3))


def pod_config(name="web-7c5ddbdf54-x2x7k", uid=UID):
    """A PodSandboxConfig of about 2 KB, as kubelet sends it for a pod with ordinary metadata."""
    labels = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default",
              "io.kubernetes.pod.uid": uid, "app": "web", "pod-template-hash": "7c5ddbdf54"}
    labels |= {f"example.com/label-{index}": f"value-{index}" for index in range(8)}
    annotations = {"kubernetes.io/config.seen": "2025-01-01T00:00:00.000000000Z", "kubernetes.io/config.source": "api"}
    annotations |= {f"example.com/annotation-{index}": "v" * 120 for index in range(8)}
    metadata = field(1, name) + field(2, uid) + field(3, "default") + field(4, 0)
    linux = field(1, f"/kubepods/burstable/pod{uid}") + field(2, field(7, field(1, 2)))
    config = field(1, metadata) + field(2, name) + field(3, f"/var/log/pods/default_web_{uid}")
    config += field(4, field(1, "10.96.0.10") + field(2, "default.svc.cluster.local"))
    return config + pairs(6, labels) + pairs(7, annotations) + field(8, linux)


def run_pod_sandbox(*names):
    return field(1, pod_config(*names)) + field(2, "runc")
