"""The messages that RuntimeManager reads of CRI agree with CRI as the tests know it, the hook protocol with what plugins serve."""

import pytest

from google.protobuf.descriptor import FieldDescriptor

from Peers.messages import cri, hook, product

pytestmark = pytest.mark.wire
SHARED = sorted(set(product.DESCRIPTOR.message_types_by_name) & set(cri.DESCRIPTOR.message_types_by_name))


def test_every_message_of_cri_that_is_read_is_known_to_the_tests():
    assert set(product.DESCRIPTOR.message_types_by_name) - {"MapEntry"} == set(SHARED)


#: Maps that the product declares as their entries: a map's entries are a repeated message of key and value.
MAPS = {"label_entries": "labels", "annotation_entries": "annotations", "unified_entries": "unified"}


@pytest.mark.parametrize("name", SHARED)
def test_field_numbers_and_types_are_those_of_cri(name):
    ours = product.DESCRIPTOR.message_types_by_name[name].fields_by_name
    theirs = cri.DESCRIPTOR.message_types_by_name[name].fields_by_name
    for field in ours.values():
        other = theirs[MAPS.get(field.name, field.name)]
        assert (field.number, field.type, field.label) == (other.number, other.type, other.label), field.name
        if field.name in MAPS:
            assert {(f.number, f.name, f.type) for f in other.message_type.fields} == {
                (f.number, f.name, f.type) for f in field.message_type.fields
            }, field.name


#: The hook protocol as existing plugins have it: each message's fields by number.
POD, RESOURCES, TEXTS = "PodSandboxMetadata", "LinuxContainerResources", "map<string,string>"
HOOK_PROTOCOL = {
    "PodSandboxMetadata": {1: "name string", 2: "uid string", 3: "namespace string", 4: "attempt uint32"},
    "PodSandboxHookRequest": {
        1: f"pod_meta {POD}", 2: "runtime_handler string", 3: f"labels {TEXTS}", 4: f"annotations {TEXTS}",
        5: "cgroup_parent string", 6: f"overhead {RESOURCES}", 7: f"resources {RESOURCES}",
    },
    "PodSandboxHookResponse": {
        1: f"labels {TEXTS}", 2: f"annotations {TEXTS}", 3: "cgroup_parent string", 4: f"resources {RESOURCES}",
    },
    "LinuxContainerResources": {
        1: "cpu_period int64", 2: "cpu_quota int64", 3: "cpu_shares int64", 4: "memory_limit_in_bytes int64",
        5: "oom_score_adj int64", 6: "cpuset_cpus string", 7: "cpuset_mems string",
        8: "hugepage_limits repeated HugepageLimit", 9: f"unified {TEXTS}", 10: "memory_swap_limit_in_bytes int64",
    },
    "HugepageLimit": {1: "page_size string", 2: "limit uint64"},
    "ContainerMetadata": {1: "name string", 2: "attempt uint32", 3: "id string"},
    "ContainerResourceHookRequest": {
        1: f"pod_meta {POD}", 2: "container_meta ContainerMetadata", 3: f"container_annotations {TEXTS}",
        4: f"container_resources {RESOURCES}", 5: f"pod_resources {RESOURCES}", 6: f"pod_annotations {TEXTS}",
        7: f"pod_labels {TEXTS}", 8: "pod_cgroup_parent string", 9: f"container_envs {TEXTS}",
    },
    "ContainerResourceHookResponse": {
        1: f"container_annotations {TEXTS}", 2: f"container_resources {RESOURCES}", 3: "pod_cgroup_parent string",
        4: f"container_envs {TEXTS}",
    },
}
SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_UINT32: "uint32",
}


def in_words(field):
    kind = SCALARS.get(field.type) or field.message_type.name
    if field.message_type and field.message_type.GetOptions().map_entry:
        kind = "map<" + ",".join(SCALARS[part.type] for part in field.message_type.fields) + ">"
    elif field.label == field.LABEL_REPEATED:
        kind = f"repeated {kind}"
    return f"{field.name} {kind}"


def test_the_hook_protocol_is_the_one_that_plugins_have():
    assert hook.DESCRIPTOR.package == "runtime.v1alpha1"
    assert hook.DESCRIPTOR.syntax == "proto3"
    assert set(hook.DESCRIPTOR.message_types_by_name) == set(HOOK_PROTOCOL)
    for name, message in hook.DESCRIPTOR.message_types_by_name.items():
        assert {field.number: in_words(field) for field in message.fields} == HOOK_PROTOCOL[name]


def test_the_hook_service_has_the_methods_that_plugins_serve():
    methods = hook.DESCRIPTOR.services_by_name["RuntimeHookService"].methods
    assert {method.name: (method.input_type.name, method.output_type.name) for method in methods} == {
        f"{point}Hook": (f"{kind}HookRequest", f"{kind}HookResponse")
        for kind, points in {
            "PodSandbox": ["PreRunPodSandbox", "PostStopPodSandbox"],
            "ContainerResource": [
                "PreCreateContainer", "PreStartContainer", "PostStartContainer", "PostStopContainer",
                "PreUpdateContainerResources",
            ],
        }.items()
        for point in points
    }
