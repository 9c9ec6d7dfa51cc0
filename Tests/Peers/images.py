"""Container images without a registry: docker-archives of one busybox layer, built in memory."""

import hashlib
import io
import json
import tarfile

BUSYBOX = "/bin/busybox"
APPLETS = ["sh", "sleep", "cat", "env", "echo", "ls", "true", "false", "kill", "id"]

PAUSE = "localhost/runtime-manager-test/pause:1"
SAMPLE = "localhost/runtime-manager-test/busybox:1"


def _file(archive, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(data))


def _layer():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ["bin", "etc", "proc", "sys", "dev", "tmp", "run"]:
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        with open(BUSYBOX, "rb") as busybox:
            _file(archive, "bin/busybox", busybox.read(), 0o755)
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type = tarfile.SYMTYPE
            entry.linkname = "busybox"
            archive.addfile(entry)
        _file(archive, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        _file(archive, "etc/group", b"root:x:0:\n")
    return out.getvalue()


def archive(architecture="amd64"):
    """A docker-archive with both images, which share the layer."""
    layer = _layer()
    out = io.BytesIO()
    manifest = []
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        _file(tar, "layer.tar", layer)
        for reference, command in [(PAUSE, ["/bin/sleep", "1000000"]), (SAMPLE, ["/bin/sleep", "1000000"])]:
            config = {
                "architecture": architecture,
                "os": "linux",
                "config": {"Cmd": command, "Env": ["PATH=/bin", "FROM_IMAGE=yes"], "Labels": {"image": reference}},
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
                "history": [{"created_by": "test"}],
            }
            text = json.dumps(config, sort_keys=True).encode()
            name = hashlib.sha256(text).hexdigest() + ".json"
            _file(tar, name, text)
            manifest.append({"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]})
        _file(tar, "manifest.json", json.dumps(manifest).encode())
    return out.getvalue()
