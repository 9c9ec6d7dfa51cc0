"""A container runtime that keeps its pods in a dictionary, on gRPC's C core.

It answers the life-cycle calls of CRI (v1 and v1alpha2) as containerd does, verbose statuses included, records
all that arrives, and can be told to answer otherwise. Beside CRI it serves `/test.Wire/*`, methods for the wire:

    Echo      unary           the request; metadata whose name begins with "x-" comes back, first and last
    Sized     unary           as many bytes as the request's text says
    Fail      unary           trailers only: status INTERNAL with details
    Slow      unary           answers when `release` is called, or never
    Endless   server stream   chunks of 64 KiB until the caller is gone; counted in `produced`
    Count     server stream   as many messages as the request's text says
    Collect   client stream   the number of messages and of bytes
    Refuse    client stream   status RESOURCE_EXHAUSTED before anything is read
    Both      both streams    each message back at once
"""

import collections
import dataclasses
import itertools
import json
import os
import threading
import time
import uuid
from concurrent import futures

import grpc

from .messages import cri

DETAILS = b"\x08\x0d\x12\x04boom\x00\xff\xfe details"


@dataclasses.dataclass
class Call:
    path: str
    raw: bytes
    metadata: list
    time_remaining: float
    cancelled: threading.Event

    @property
    def method(self):
        return self.path.rsplit("/", 1)[1]

    @property
    def version(self):
        return self.path.split(".")[1]

    @property
    def request(self):
        return getattr(cri, f"{self.method}Request").FromString(self.raw)

    def header(self, name):
        return [value for key, value in self.metadata if key == name]


class Refused(Exception):
    """Raised by an answer: the call ends with this status, trailers only."""

    def __init__(self, code, text="refused by the test", trailers=()):
        self.code, self.text, self.trailers = code, text, trailers


def as_json(message):
    """A message as containerd writes it into a verbose status: proto names, numbers as numbers, no zero fields."""
    out = {}
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            out[field.name] = dict(value)
        elif field.message_type:
            out[field.name] = [as_json(v) for v in value] if field.label == 3 else as_json(value)
        elif field.type == field.TYPE_BYTES:
            out[field.name] = value.decode(errors="replace")
        else:
            out[field.name] = list(value) if field.label == 3 else value
    return out


class FakeRuntime(grpc.GenericRpcHandler):
    def __init__(self, socket, start=True):
        self.socket = str(socket)
        self.calls = []
        self.pods = {}
        self.containers = {}
        self.produced = collections.Counter()
        self.released = threading.Event()
        #: The versions of CRI that it serves.
        self.versions = ["v1", "v1alpha2"]
        self._scripts = {}
        self._streams = {}
        self._arrived = threading.Condition()
        self._serial = itertools.count(1)
        self._server = None
        if start:
            self.start()

    # Life

    def start(self):
        server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=700),
            handlers=(self,),
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                ("grpc.max_metadata_size", 1 << 20),
            ],
        )
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        server.add_insecure_port(f"unix:{self.socket}")
        server.start()
        self._server = server
        return self

    def stop(self, grace=None):
        """Cuts every connection (or lets calls finish for `grace` seconds after a GOAWAY); pods are kept."""
        if self._server:
            self._server.stop(grace).wait()
            self._server = None
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def restart(self):
        self.stop()
        self.start()

    def release(self):
        self.released.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Script and record

    def on(self, method, answer):
        """`answer(call)` instead of the usual one: a message, bytes, or raises `Refused`. None: as usual again."""
        self._scripts[method] = answer

    def stream(self, method, messages):
        """Serves a server stream: `messages(call)` gives the messages' bytes one by one, and may raise `Refused`."""
        self._streams[method] = messages

    def refuse(self, method, code, text="refused by the test", trailers=()):
        def answer(call):
            raise Refused(code, text, trailers)

        self.on(method, answer)

    def take(self, method, within=30):
        """The next call of this method that no `take` has given yet, waiting for it."""
        with self._arrived:
            def fresh():
                seen = [c for c in self.calls if c.method == method and not getattr(c, "_taken", False)]
                return seen[0] if seen else None

            assert self._arrived.wait_for(fresh, within), f"no {method} within {within} s: {self.names()}"
            call = fresh()
            call._taken = True
            return call

    def of(self, method):
        with self._arrived:
            return [call for call in self.calls if call.method == method]

    def names(self):
        with self._arrived:
            return [call.method for call in self.calls]

    def forget(self):
        with self._arrived:
            self.calls.clear()

    # gRPC

    def service(self, details):
        path = details.method
        name = path.rsplit("/", 1)[1]
        if path.startswith("/test.Wire/"):
            kind, function = {
                "Echo": (grpc.unary_unary_rpc_method_handler, self._echo),
                "Sized": (grpc.unary_unary_rpc_method_handler, lambda r, c: b"s" * int(r)),
                "Fail": (grpc.unary_unary_rpc_method_handler, self._fail),
                "Slow": (grpc.unary_unary_rpc_method_handler, self._slow),
                "Endless": (grpc.unary_stream_rpc_method_handler, self._endless),
                "Count": (grpc.unary_stream_rpc_method_handler, lambda r, c: (b"%d" % i for i in range(int(r)))),
                "Collect": (grpc.stream_unary_rpc_method_handler, self._collect),
                "Refuse": (grpc.stream_unary_rpc_method_handler, self._refuse),
                "Both": (grpc.stream_stream_rpc_method_handler, lambda r, c: r),
            }.get(name, (None, None))
            if not kind:
                return None
            if kind in (grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler):
                def recorded(request, context):
                    self._record(path, request, context)
                    return function(request, context)

                return kind(recorded)
            def recorded_stream(requests, context):
                self._record(path, b"", context)
                return function(requests, context)

            return kind(recorded_stream)
        if not path.startswith(tuple(f"/runtime.{version}." for version in self.versions)):
            return None
        if name in self._streams:
            return grpc.unary_stream_rpc_method_handler(lambda data, context: self._stream(path, name, data, context))
        if name == "GetContainerEvents":
            return grpc.unary_stream_rpc_method_handler(lambda data, context: self._events(path, data, context))
        if name in self._scripts or hasattr(self, f"_on_{name}"):
            return grpc.unary_unary_rpc_method_handler(lambda data, context: self._cri(path, name, data, context))
        return None

    def _record(self, path, raw, context):
        gone = threading.Event()
        if not context.add_callback(gone.set):
            gone.set()
        left = context.time_remaining()
        left = left if left is not None and left < 1e9 else None  # no deadline is a very long one to grpcio
        call = Call(path, raw, list(map(tuple, context.invocation_metadata())), left, gone)
        with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        return call

    def _cri(self, path, name, data, context):
        call = self._record(path, data, context)
        script = self._scripts.get(name)
        try:
            answer = script(call) if script else None
            if answer is None:
                answer = getattr(self, f"_on_{name}")(call)
        except Refused as refused:
            context.set_trailing_metadata(list(refused.trailers))
            context.abort(refused.code, refused.text)
        return answer if isinstance(answer, bytes) else answer.SerializeToString()

    def _stream(self, path, name, data, context):
        call = self._record(path, data, context)
        try:
            yield from self._streams[name](call)
        except Refused as refused:
            context.set_trailing_metadata(list(refused.trailers))
            context.abort(refused.code, refused.text)

    # The wire's methods

    def _echo(self, request, context):
        back = [(k, v) for k, v in context.invocation_metadata() if k.startswith("x-")]
        context.send_initial_metadata(back)
        context.set_trailing_metadata([(f"x-last-{k[2:]}", v) for k, v in back])
        return request

    def _fail(self, request, context):
        context.set_trailing_metadata([("grpc-status-details-bin", DETAILS), ("x-why", "test")])
        context.abort(grpc.StatusCode.INTERNAL, "a message: ünïcode, 100 %\nsecond line")

    def _slow(self, request, context):
        while not self.released.wait(0.02):
            if not context.is_active():
                return b""
        return request

    def _endless(self, request, context):
        key = request.decode()
        chunk = b"e" * 65536
        while context.is_active():
            with self._arrived:
                self.produced[key] += len(chunk)
                self._arrived.notify_all()
            yield chunk

    def wait_produced(self, key, amount, within=30):
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.produced[key] >= amount, within), self.produced

    def _collect(self, requests, context):
        sizes = [len(request) for request in requests]
        return b"%d messages, %d bytes" % (len(sizes), sum(sizes))

    def _refuse(self, requests, context):
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "not this one")

    # CRI

    def _events(self, path, data, context):
        """One event, and then none until the caller is gone."""
        call = self._record(path, data, context)
        yield b"event"
        call.cancelled.wait()

    def _new_id(self):
        return uuid.uuid4().hex + uuid.uuid4().hex

    def _pod(self, identifier):
        if identifier not in self.pods:
            raise Refused(grpc.StatusCode.NOT_FOUND, f'an error occurred when try to find sandbox "{identifier}": not found')
        return self.pods[identifier]

    def _container(self, identifier):
        if identifier not in self.containers:
            raise Refused(
                grpc.StatusCode.NOT_FOUND, f'an error occurred when try to find container "{identifier}": not found'
            )
        return self.containers[identifier]

    def _on_Version(self, call):
        return cri.VersionResponse(version="0.1.0", runtime_name="fake", runtime_version="1", runtime_api_version=call.version)

    def _on_Status(self, call):
        answer = cri.StatusResponse()
        for name in ["RuntimeReady", "NetworkReady"]:
            answer.status.conditions.add(type=name, status=True)
        return answer

    def _on_RunPodSandbox(self, call):
        identifier = self._new_id()
        request = call.request
        self.pods[identifier] = {"config": request.config, "handler": request.runtime_handler, "state": 0}
        return cri.RunPodSandboxResponse(pod_sandbox_id=identifier)

    def _on_StopPodSandbox(self, call):
        # As containerd: stopping what is gone is no error.
        if call.request.pod_sandbox_id in self.pods:
            self.pods[call.request.pod_sandbox_id]["state"] = 1
        return cri.StopPodSandboxResponse()

    def _on_RemovePodSandbox(self, call):
        pod = call.request.pod_sandbox_id
        self.pods.pop(pod, None)
        for name in [k for k, v in self.containers.items() if v["pod"] == pod]:
            del self.containers[name]
        return cri.RemovePodSandboxResponse()

    def _on_UpdatePodSandboxResources(self, call):
        self._pod(call.request.pod_sandbox_id)
        return cri.UpdatePodSandboxResourcesResponse()

    def _on_CreateContainer(self, call):
        request = call.request
        self._pod(request.pod_sandbox_id)
        identifier = self._new_id()
        resources = cri.LinuxContainerResources()
        resources.CopyFrom(request.config.linux.resources)
        self.containers[identifier] = {
            "config": request.config, "pod": request.pod_sandbox_id, "resources": resources, "state": 0,
            "cgroup_parent": request.sandbox_config.linux.cgroup_parent,
        }
        return cri.CreateContainerResponse(container_id=identifier)

    def _on_StartContainer(self, call):
        self._container(call.request.container_id)["state"] = 1
        return cri.StartContainerResponse()

    def _on_StopContainer(self, call):
        self._container(call.request.container_id)["state"] = 2
        return cri.StopContainerResponse()

    def _on_RemoveContainer(self, call):
        self.containers.pop(call.request.container_id, None)
        return cri.RemoveContainerResponse()

    def _on_UpdateContainerResources(self, call):
        resources = self._container(call.request.container_id)["resources"]
        for field, value in call.request.linux.ListFields():
            if field.label == 3:
                resources.ClearField(field.name)
        resources.MergeFrom(call.request.linux)
        return cri.UpdateContainerResourcesResponse()

    def _on_ListPodSandbox(self, call):
        return cri.ListPodSandboxResponse(
            items=[
                cri.PodSandbox(id=k, metadata=v["config"].metadata, state=v["state"], labels=v["config"].labels,
                               annotations=v["config"].annotations, runtime_handler=v["handler"])
                for k, v in list(self.pods.items())
            ]
        )

    def _on_ListContainers(self, call):
        return cri.ListContainersResponse(
            containers=[
                cri.Container(id=k, pod_sandbox_id=v["pod"], metadata=v["config"].metadata, state=v["state"],
                              labels=v["config"].labels, annotations=v["config"].annotations)
                for k, v in list(self.containers.items())
            ]
        )

    def _on_PodSandboxStatus(self, call):
        identifier = call.request.pod_sandbox_id
        pod = self._pod(identifier)
        config = pod["config"]
        answer = cri.PodSandboxStatusResponse(
            status=cri.PodSandboxStatus(id=identifier, metadata=config.metadata, state=pod["state"], labels=config.labels,
                                        annotations=config.annotations, runtime_handler=pod["handler"])
        )
        if call.request.verbose:
            info = {"pid": 1, "runtimeHandler": pod["handler"], "config": as_json(config)}
            answer.info["info"] = json.dumps({k: v for k, v in info.items() if v != ""})
        return answer

    def _on_ContainerStatus(self, call):
        identifier = call.request.container_id
        container = self._container(identifier)
        config = container["config"]
        answer = cri.ContainerStatusResponse(
            status=cri.ContainerStatus(id=identifier, metadata=config.metadata, state=container["state"],
                                       labels=config.labels, annotations=config.annotations, image=config.image)
        )
        answer.status.resources.linux.CopyFrom(container["resources"])
        if call.request.verbose:
            env = [f"{e.key}={e.value.decode(errors='replace')}" for e in config.envs]
            info = {"sandboxID": container["pod"], "pid": 2, "config": as_json(config),
                    "runtimeSpec": {"process": {"env": ["PATH=/bin", *env]}}}
            answer.info["info"] = json.dumps(info)
        return answer

    def _on_ListImages(self, call):
        answer = cri.ListImagesResponse()
        answer.images.add(id="sha256:fake", repo_tags=["fake:1"])
        return answer

    def _on_ImageFsInfo(self, call):
        return cri.ImageFsInfoResponse(image_filesystems=[cri.FilesystemUsage(timestamp=time.time_ns())])
