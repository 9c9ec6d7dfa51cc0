"""kubelet as far as crashes matter to it: it knows its pod by what it sent, finds in the runtime's lists what there is
of it, and brings that to what it wants."""

from Peers.cri import container_config, pod_config
from Peers.messages import cri

READY, NOT_READY = 0, 1
CREATED, RUNNING, EXITED = 0, 1, 2


class Kubelet:
    """One pod with one container."""

    def __init__(self, client, parent="/kubepods/pod7"):
        self.client = client
        self.pod = pod_config(
            cgroup_parent=parent, labels={"app": "web"}, annotations={"note": "n"},
            overhead=cri.LinuxContainerResources(cpu_shares=5),
        )
        self.container = container_config(name="web", envs=[("A", "1")], cpu_shares=512, memory_limit_in_bytes=64 << 20)

    @property
    def uid(self):
        return self.pod.metadata.uid

    # What there is

    def sandboxes(self, client=None):
        """Its own, by the label that it wrote; the latest attempt first."""
        found = (client or self.client).call("ListPodSandbox").items
        mine = [pod for pod in found if pod.labels["io.kubernetes.pod.uid"] == self.uid]
        return sorted(mine, key=lambda pod: -pod.metadata.attempt)

    def containers(self, client=None):
        """Those of its sandboxes; the latest attempt first."""
        pods = {pod.id for pod in self.sandboxes(client)}
        found = (client or self.client).call("ListContainers").containers
        mine = [container for container in found if container.pod_sandbox_id in pods]
        return sorted(mine, key=lambda container: -container.metadata.attempt)

    # The single calls

    def request(self, verb):
        sandbox = next((pod.id for pod in self.sandboxes()), "") if verb != "RunPodSandbox" else ""
        container = next((c.id for c in self.containers()), "") if sandbox and verb != "CreateContainer" else ""
        return {
            "RunPodSandbox": lambda: cri.RunPodSandboxRequest(config=self.pod),
            "CreateContainer": lambda: cri.CreateContainerRequest(
                pod_sandbox_id=sandbox, config=self.container, sandbox_config=self.pod),
            "StartContainer": lambda: cri.StartContainerRequest(container_id=container),
            "UpdateContainerResources": lambda: cri.UpdateContainerResourcesRequest(
                container_id=container, linux=cri.LinuxContainerResources(cpu_shares=222)),
            "StopContainer": lambda: cri.StopContainerRequest(container_id=container, timeout=0),
            "StopPodSandbox": lambda: cri.StopPodSandboxRequest(pod_sandbox_id=sandbox),
        }[verb]()

    def call(self, verb):
        return self.client.call(verb, self.request(verb), timeout=60)

    # What it wants

    def sync(self):
        """The container runs: what is ready or runs is taken, everything else made anew under the next attempt.
        Gives the container's id."""
        found = self.sandboxes()
        if not any(pod.state == READY for pod in found):
            self.pod.metadata.attempt = max((pod.metadata.attempt + 1 for pod in found), default=0)
            self.call("RunPodSandbox")
        found = self.containers()
        if not any(container.state == RUNNING for container in found):
            self.container.metadata.attempt = max((c.metadata.attempt + 1 for c in found), default=0)
            self.call("CreateContainer")
            self.call("StartContainer")
        self.collect_garbage()
        (container,) = self.containers()
        assert container.state == RUNNING and len(self.sandboxes()) == 1
        return container.id

    def collect_garbage(self):
        """What kubelet removes within a minute: containers that do not run, sandboxes that are not ready."""
        for container in self.containers():
            if container.state != RUNNING:
                self.client.remove_container(container.id)
        for pod in self.sandboxes():
            if pod.state != READY:
                self.client.stop_pod(pod.id)
                self.client.remove_pod(pod.id)

    def terminate(self):
        """The pod ends: kubelet stops what runs (and nothing twice), and removes all."""
        for container in self.containers():
            if container.state == RUNNING:
                self.client.stop_container(container.id)
        for container in self.containers():
            self.client.remove_container(container.id)
        for pod in self.sandboxes():
            self.client.stop_pod(pod.id)
            self.client.remove_pod(pod.id)
