"""A hook plugin on gRPC's C core that records every call and answers by script.

    plugin = Recorder(path)
    plugin.on("PreCreateContainer", echo(lambda answer: answer.container_resources.MergeFrom(...)))
    plugin.on("PreRunPodSandbox", sparse(cgroup_parent="/x"))
    plugin.on("PreStartContainer", refuse(grpc.StatusCode.INTERNAL, "no"), then=echo())
    call = plugin.take("PreCreateContainer")

A hook point without a script is answered with the whole state, unchanged.
"""

import collections
import dataclasses
import json
import os
import threading
from concurrent import futures

import grpc

from .messages import hook

SERVICE = "/runtime.v1alpha1.RuntimeHookService/"
POD_HOOKS = ("PreRunPodSandbox", "PostStopPodSandbox")
CONTAINER_HOOKS = (
    "PreCreateContainer",
    "PreStartContainer",
    "PostStartContainer",
    "PostStopContainer",
    "PreUpdateContainerResources",
)
HOOKS = POD_HOOKS + CONTAINER_HOOKS


@dataclasses.dataclass
class HookCall:
    hook: str
    request: object
    raw: bytes
    metadata: list
    time_remaining: float
    cancelled: threading.Event

    def __repr__(self):
        return f"HookCall({self.hook}, {str(self.request)!r})"


def whole_state(request):
    """The answer of a plugin that repeats all it was told."""
    if isinstance(request, hook.PodSandboxHookRequest):
        answer = hook.PodSandboxHookResponse(
            labels=request.labels, annotations=request.annotations, cgroup_parent=request.cgroup_parent
        )
        if request.HasField("resources"):
            answer.resources.CopyFrom(request.resources)
        return answer
    answer = hook.ContainerResourceHookResponse(
        container_annotations=request.container_annotations,
        pod_cgroup_parent=request.pod_cgroup_parent,
        container_envs=request.container_envs,
    )
    if request.HasField("container_resources"):
        answer.container_resources.CopyFrom(request.container_resources)
    return answer


# What a plugin may answer: functions of the call and of gRPC's context that give a message or bytes.


def echo(edit=None):
    """The whole state, edited in place by `edit(answer)`."""

    def answer(call, context):
        message = whole_state(call.request)
        if edit:
            edit(message)
        return message

    return answer


def sparse(**fields):
    """Only these fields of the answer; `resources` fills the resources of either kind of hook."""
    resources = fields.pop("resources", None)

    def answer(call, context):
        if call.hook in POD_HOOKS:
            message = hook.PodSandboxHookResponse(**fields)
            if resources:
                message.resources.MergeFrom(hook.LinuxContainerResources(**resources))
        else:
            message = hook.ContainerResourceHookResponse(**fields)
            if resources:
                message.container_resources.MergeFrom(hook.LinuxContainerResources(**resources))
        return message

    return answer


def refuse(code, text="no", trailers=()):
    def answer(call, context):
        context.set_trailing_metadata(list(trailers))
        context.abort(code, text)

    return answer


def raw(data):
    return lambda call, context: data


class hang:
    """Does not answer until released, or until the caller is gone."""

    def __init__(self, then=None):
        self.released = threading.Event()
        self.then = then or echo()

    def release(self):
        self.released.set()

    def __call__(self, call, context):
        while not self.released.wait(0.02):
            if not context.is_active():
                return b""
        return self.then(call, context)


class Recorder(grpc.GenericRpcHandler):
    def __init__(self, socket, start=True):
        self.socket = str(socket)
        self.calls = []
        self._arrived = threading.Condition()
        self._scripts = {}
        self._server = None
        if start:
            self.start()

    # Life

    def start(self):
        server = grpc.server(
            futures.ThreadPoolExecutor(max_workers=64),
            handlers=(self,),
            options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        )
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        server.add_insecure_port(f"unix:{self.socket}")
        server.start()
        self._server = server
        return self

    def stop(self):
        """Goes away, as a plugin that is killed; `start` brings it back on the same path."""
        if self._server:
            self._server.stop(None).wait()
            self._server = None
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def restart(self):
        self.stop()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # Script

    def on(self, hook_name, *answers, then=None):
        """Answers to the next calls of a hook point, one each; `then` to all later ones (default: the last)."""
        answers = list(answers)
        self._scripts[hook_name] = (collections.deque(answers), then or answers[-1])

    def register(self, directory, name=None, hooks=HOOKS, policy=None, **more):
        """Writes this plugin's registration file, whole or not at all."""
        return register(directory, name or os.path.basename(self.socket).split(".")[0], self.socket, hooks, policy, **more)

    # Record

    def take(self, hook_name=None, within=30):
        """The next call that no `take` has given yet, waiting for it."""
        with self._arrived:
            def fresh():
                seen = [c for c in self.calls if hook_name in (None, c.hook) and not getattr(c, "_taken", False)]
                return seen[0] if seen else None

            assert self._arrived.wait_for(fresh, within), f"no {hook_name or 'hook'} within {within} s: {self.names()}"
            call = fresh()
            call._taken = True
            return call

    def names(self):
        with self._arrived:
            return [call.hook for call in self.calls]

    def of(self, hook_name):
        with self._arrived:
            return [call for call in self.calls if call.hook == hook_name]

    def forget(self):
        with self._arrived:
            self.calls.clear()

    # gRPC

    def service(self, details):
        if not details.method.startswith(SERVICE) or not details.method.endswith("Hook"):
            return None
        name = details.method[len(SERVICE) : -len("Hook")]
        return grpc.unary_unary_rpc_method_handler(lambda data, context: self._answer(name, data, context))

    def _answer(self, name, data, context):
        kind = hook.PodSandboxHookRequest if name in POD_HOOKS else hook.ContainerResourceHookRequest
        gone = threading.Event()
        context.add_callback(gone.set)
        call = HookCall(
            name, kind.FromString(data), data, list(map(tuple, context.invocation_metadata())), context.time_remaining(), gone
        )
        with self._arrived:
            self.calls.append(call)
            queue, last = self._scripts.get(name, (None, echo()))
            script = queue.popleft() if queue else last
            self._arrived.notify_all()
        answer = script(call, context)
        return answer if isinstance(answer, bytes) else answer.SerializeToString()


def register(directory, name, socket, hooks=HOOKS, policy=None, **more):
    """Writes `name`.json into a hook directory, whole or not at all; gives its path."""
    keys = {"remote-endpoint": str(socket), "runtime-hooks": list(hooks)}
    if policy is not None:
        keys["failure-policy"] = policy
    keys.update(more)
    path = os.path.join(directory, f"{name}.json")
    write_whole(path, json.dumps(keys))
    return path


def write_whole(path, text, mode=0o644):
    fresh = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.new")
    with open(fresh, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(fresh, mode)
    os.rename(fresh, path)
