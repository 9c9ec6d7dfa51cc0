"""A CRI client on gRPC's C core: raw bytes to any method, and helpers for the life cycle."""

import functools
import itertools
import os
import time
import uuid

import grpc

from . import images
from .messages import cri
from .wait import eventually

IMAGE_METHODS = {"ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo", "StreamImages"}
#: kubelet's limit for received messages is 16 MiB; tests of the wire itself go beyond it.
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
_serial = itertools.count(1)


class Runtime:
    """One gRPC connection to a CRI socket."""

    def __init__(self, socket, version="v1", options=(), before=None):
        """`before` is called once, before the first call: it may start who listens there."""
        self.socket = socket
        self.version = version
        self._options = options
        self._before = before

    @functools.cached_property
    def channel(self):
        if self._before:
            self._before()
        return grpc.insecure_channel(
            f"unix://{self.socket}",
            options=[
                *UNLIMITED,
                ("grpc.default_authority", "localhost"),
                ("grpc.use_local_subchannel_pool", 1),
                # Also how long a connection may take to come up, on a machine that is busy.
                ("grpc.min_reconnect_backoff_ms", 10_000),
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 200),
                ("grpc.max_metadata_size", 1 << 20),
                *self._options,
            ],
        )

    def close(self):
        if "channel" in self.__dict__:
            self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Raw calls: bytes in, bytes out

    def path(self, method):
        service = "ImageService" if method in IMAGE_METHODS else "RuntimeService"
        return method if method.startswith("/") else f"/runtime.{self.version}.{service}/{method}"

    def unary(self, method, request=b"", metadata=(), timeout=10):
        """The answer's bytes; raises grpc.RpcError."""
        return self.channel.unary_unary(self.path(method))(request, metadata=list(metadata), timeout=timeout)

    def unary_with_call(self, method, request=b"", metadata=(), timeout=10):
        """The answer's bytes and the call, for its metadata."""
        return self.channel.unary_unary(self.path(method)).with_call(request, metadata=list(metadata), timeout=timeout)

    def start(self, method, request=b"", metadata=(), timeout=10):
        """A running unary call: `result()`, `cancel()`, `code()`."""
        return self.channel.unary_unary(self.path(method)).future(request, metadata=list(metadata), timeout=timeout)

    def server_stream(self, method, request=b"", metadata=(), timeout=10):
        return self.channel.unary_stream(self.path(method))(request, metadata=list(metadata), timeout=timeout)

    def client_stream(self, method, requests, metadata=(), timeout=10):
        return self.channel.stream_unary(self.path(method))(requests, metadata=list(metadata), timeout=timeout)

    def both_streams(self, method, requests, metadata=(), timeout=10):
        return self.channel.stream_stream(self.path(method))(requests, metadata=list(metadata), timeout=timeout)

    # Typed calls

    def call(self, method, request=None, timeout=30, metadata=()):
        """The named CRI method; a request left out is the empty one."""
        if request is None:
            request = getattr(cri, "GetEventsRequest" if method == "GetContainerEvents" else f"{method}Request")()
        answer = self.unary(method, request.SerializeToString(), metadata, timeout)
        return getattr(cri, f"{method}Response").FromString(answer)

    def begin(self, method, request, timeout=30, metadata=()):
        return self.start(method, request.SerializeToString(), metadata, timeout)

    def until_answered(self):
        """Waits until a call passes; gives how long that took, seconds."""

        def answers():
            try:
                return self.call("Status", timeout=5)
            except grpc.RpcError:
                return None

        began = time.monotonic()
        eventually(answers, 30, f"{self.socket} answers")
        return time.monotonic() - began

    def run_pod(self, config, handler="", **options):
        return self.call(
            "RunPodSandbox", cri.RunPodSandboxRequest(config=config, runtime_handler=handler), **options
        ).pod_sandbox_id

    def create(self, pod, config, pod_config, **options):
        return self.call(
            "CreateContainer",
            cri.CreateContainerRequest(pod_sandbox_id=pod, config=config, sandbox_config=pod_config),
            **options,
        ).container_id

    def start_container(self, container, **options):
        self.call("StartContainer", cri.StartContainerRequest(container_id=container), **options)

    def update(self, container, annotations=None, **resources_and_options):
        options = {k: resources_and_options.pop(k) for k in ("timeout", "metadata") if k in resources_and_options}
        self.call(
            "UpdateContainerResources",
            cri.UpdateContainerResourcesRequest(
                container_id=container,
                linux=cri.LinuxContainerResources(**resources_and_options),
                annotations=annotations or {},
            ),
            **options,
        )

    def stop_container(self, container, grace=0, **options):
        self.call("StopContainer", cri.StopContainerRequest(container_id=container, timeout=grace), **options)

    def remove_container(self, container, **options):
        self.call("RemoveContainer", cri.RemoveContainerRequest(container_id=container), **options)

    def stop_pod(self, pod, **options):
        self.call("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod), **options)

    def remove_pod(self, pod, **options):
        self.call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod), **options)

    def container_status(self, container, verbose=False):
        return self.call("ContainerStatus", cri.ContainerStatusRequest(container_id=container, verbose=verbose))

    def pod_status(self, pod, verbose=False):
        return self.call("PodSandboxStatus", cri.PodSandboxStatusRequest(pod_sandbox_id=pod, verbose=verbose))

    def exec(self, container, *command, timeout=10):
        answer = self.call("ExecSync", cri.ExecSyncRequest(container_id=container, cmd=list(command), timeout=timeout))
        assert answer.exit_code == 0, answer
        return answer.stdout.decode()


def pod_config(name=None, namespace="default", labels=None, annotations=None, cgroup_parent="", network=2, attempt=0, **linux):
    """A pod as kubelet describes it; the host's network unless told otherwise, a name of its own."""
    name = name or f"pod-{os.getpid()}-{next(_serial)}"
    uid = str(uuid.uuid4())
    config = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name=name, uid=uid, namespace=namespace, attempt=attempt),
        labels={
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.namespace": namespace,
            "io.kubernetes.pod.uid": uid,
            **(labels or {}),
        },
        annotations={"kubernetes.io/config.source": "api", **(annotations or {})},
        linux=cri.LinuxPodSandboxConfig(cgroup_parent=cgroup_parent, **linux),
    )
    config.linux.security_context.namespace_options.network = network
    return config


def container_config(name="main", command=("/bin/sleep", "1000000"), envs=(), annotations=None, attempt=0, **resources):
    """A container of the sample image; `resources` are LinuxContainerResources' fields."""
    config = cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name=name, attempt=attempt),
        image=cri.ImageSpec(image=images.SAMPLE),
        command=list(command),
        envs=[cri.KeyValue(key=k, value=v if isinstance(v, bytes) else v.encode()) for k, v in envs],
        labels={"io.kubernetes.container.name": name},
        annotations={"io.kubernetes.container.restartCount": str(attempt), **(annotations or {})},
        linux=cri.LinuxContainerConfig(resources=cri.LinuxContainerResources(**resources)),
    )
    config.linux.security_context.namespace_options.network = 2
    return config


class Life:
    """kubelet's view of pods and containers: remembers what it sent, as kubelet does."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.configs = {}

    def pod(self, handler="", timeout=30, metadata=(), **config):
        sent = pod_config(**config)
        identifier = self.runtime.run_pod(sent, handler, timeout=timeout, metadata=metadata)
        self.configs[identifier] = sent
        return identifier

    def container(self, pod, timeout=30, metadata=(), **config):
        return self.runtime.create(
            pod, container_config(**config), self.configs[pod], timeout=timeout, metadata=metadata
        )
