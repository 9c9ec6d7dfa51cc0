"""Python messages, generated at first use with protoc and kept under .build by content.

`hook` is the hook protocol from Protos; `cri` is Peers/kubelet.proto, CRI in the tests' own words;
`product` is Protos/cri.proto, what RuntimeManager itself reads of CRI (only compared with `cri`).
"""

import hashlib
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [
    ROOT / "Protos" / "hook.proto",
    ROOT / "Protos" / "cri.proto",
    ROOT / "Tests" / "Peers" / "kubelet.proto",
]


def _generate():
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    target = ROOT / ".build" / "test-messages" / digest.hexdigest()[:16]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as fresh:
            for source in SOURCES:
                subprocess.run(
                    ["protoc", f"--proto_path={source.parent}", f"--python_out={fresh}", source.name],
                    check=True,
                )
            os.chmod(fresh, 0o755)
            try:
                os.rename(fresh, target)
            except OSError:
                if not target.exists():
                    raise
            else:
                os.mkdir(fresh)  # for TemporaryDirectory to remove
    return target


sys.path.append(str(_generate()))
hook = importlib.import_module("hook_pb2")
product = importlib.import_module("cri_pb2")
cri = importlib.import_module("kubelet_pb2")
