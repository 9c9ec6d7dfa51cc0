"""A hook plugin: containers of batch pods get few CPU shares, whatever kubelet asks.

    protoc --proto_path=Protos --python_out=. hook.proto       # makes hook_pb2.py
    python3 plugin.py /run/batch.sock

and in /etc/runtime/hookserver.d/batch.json:

    {"remote-endpoint": "/run/batch.sock", "failure-policy": "Ignore",
     "runtime-hooks": ["PreRunPodSandbox", "PreCreateContainer", "PreUpdateContainerResources", "PostStopPodSandbox"]}

A plugin is a gRPC server on a unix socket. It answers with what it wants changed; an empty answer changes nothing.
"""

import os
import sys
from concurrent import futures

import grpc

from hook_pb2 import (
    ContainerResourceHookRequest,
    ContainerResourceHookResponse,
    PodSandboxHookRequest,
    PodSandboxHookResponse,
)

BATCH_SHARES = 128


def is_batch(labels):
    return labels.get("example.com/class") == "batch"


def pre_run_pod_sandbox(request):
    if not is_batch(request.labels):
        return PodSandboxHookResponse()
    say("PreRunPodSandbox", request, "annotation example.com/handled-by = batch")
    return PodSandboxHookResponse(annotations={"example.com/handled-by": "batch"})


def pre_container(hook):
    def answer(request):
        response = ContainerResourceHookResponse()
        if is_batch(request.pod_labels):
            response.container_resources.cpu_shares = BATCH_SHARES
            what = f"cpu_shares {request.container_resources.cpu_shares} -> {BATCH_SHARES}"
            if hook == "PreCreateContainer":
                response.container_envs["CLASS"] = "batch"
                what += ", env CLASS = batch"
            say(hook, request, what)
        return response

    return answer


def post_stop_pod_sandbox(request):
    say("PostStopPodSandbox", request, "nothing to change: it has happened")
    return PodSandboxHookResponse()


def say(hook, request, what):
    print(f"{hook}\t{request.pod_meta.namespace}/{request.pod_meta.name}\t{what}", flush=True)


def method(answer, request_type):
    return grpc.unary_unary_rpc_method_handler(
        lambda request, context: answer(request),
        request_deserializer=request_type.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def serve(path):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    methods = {
        "PreRunPodSandboxHook": method(pre_run_pod_sandbox, PodSandboxHookRequest),
        "PreCreateContainerHook": method(pre_container("PreCreateContainer"), ContainerResourceHookRequest),
        "PreUpdateContainerResourcesHook": method(
            pre_container("PreUpdateContainerResources"), ContainerResourceHookRequest
        ),
        "PostStopPodSandboxHook": method(post_stop_pod_sandbox, PodSandboxHookRequest),
    }
    handler = grpc.method_handlers_generic_handler("runtime.v1alpha1.RuntimeHookService", methods)
    server.add_generic_rpc_handlers((handler,))
    if os.path.exists(path):
        os.unlink(path)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1])
