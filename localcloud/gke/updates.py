"""Updates of clusters and node pools: the resource's field that each field of the request sets.

A field that is not known here is refused (UNIMPLEMENTED), so that nothing is ignored in silence.
"""

from collections.abc import Mapping

import grpc
from google.cloud import container_v1
from google.protobuf.message import Message

from localcloud.core.server import ApiError

ADDRESS = frozenset({"project_id", "zone", "cluster_id", "node_pool_id", "name", "etag"})
DESIRED = "desired_"
OF_CLUSTERS: Mapping[str, str] = {
    "desired_cluster_autoscaling": "autoscaling",
    "desired_master_version": "current_master_version",
    "desired_default_enable_private_nodes": "network_config.default_enable_private_nodes",
    "desired_datapath_provider": "network_config.datapath_provider",
    "desired_dns_config": "network_config.dns_config",
    "desired_gateway_api_config": "network_config.gateway_api_config",
    "desired_default_snat_status": "network_config.default_snat_status",
    "desired_service_external_ips_config": "network_config.service_external_ips_config",
    "desired_enable_fqdn_network_policy": "network_config.enable_fqdn_network_policy",
    "desired_enable_multi_networking": "network_config.enable_multi_networking",
    "desired_in_transit_encryption_config": "network_config.in_transit_encryption_config",
    "desired_node_pool_auto_config_network_tags": "node_pool_auto_config.network_tags",
    "desired_node_pool_auto_config_kubelet_config": "node_pool_auto_config.node_kubelet_config",
    "desired_node_pool_auto_config_linux_node_config": "node_pool_auto_config.linux_node_config",
    "desired_additional_ip_ranges_config.additional_ip_ranges_configs": (
        "ip_allocation_policy.additional_ip_ranges_configs"
    ),
    "desired_stack_type": "ip_allocation_policy.stack_type",
    "desired_enable_private_endpoint": "private_cluster_config.enable_private_endpoint",
}
"""By the request's field, the cluster's; ``desired_X`` is ``X`` without further words."""
OF_NODE_POOLS: Mapping[str, str] = {
    "node_version": "version",
    "locations": "locations",
    "upgrade_settings": "upgrade_settings",
    "node_network_config": "network_config",
    "queued_provisioning": "queued_provisioning",
    "node_drain_config": "node_drain_config",
    "labels.labels": "config.labels",
    "taints.taints": "config.taints",
    "tags.tags": "config.tags",
    "resource_labels.labels": "config.resource_labels",
}
"""The same for a node pool; what is left is of its ``config``, by the same name."""


def apply_to_cluster(update: container_v1.ClusterUpdate, cluster: container_v1.Cluster) -> None:
    """Set what an update of a cluster asks for. Raises UNIMPLEMENTED."""
    raw = container_v1.Cluster.pb(cluster)
    for field, value in container_v1.ClusterUpdate.pb(update).ListFields():
        if field.name in ADDRESS:
            continue
        inner, path = _place(field.name, OF_CLUSTERS, field.name.removeprefix(DESIRED))
        if not field.name.startswith(DESIRED) or not _set(raw, path, getattr(value, inner) if inner else value):
            raise _not_modelled("ClusterUpdate", field.name)


def apply_to_node_pool(request: container_v1.UpdateNodePoolRequest, pool: container_v1.NodePool) -> None:
    """Set what an update of a node pool asks for. Raises UNIMPLEMENTED."""
    raw = container_v1.NodePool.pb(pool)
    provided = dict(raw.config.resource_labels)
    for field, value in container_v1.UpdateNodePoolRequest.pb(request).ListFields():
        if field.name in ADDRESS:
            continue
        inner, path = _place(field.name, OF_NODE_POOLS, f"config.{field.name}")
        if not _set(raw, path, getattr(value, inner) if inner else value):
            raise _not_modelled("UpdateNodePoolRequest", field.name)
    for key, label in provided.items():
        if key.startswith("goog-gke-"):  # Google's own stay
            raw.config.resource_labels[key] = label


def _place(name: str, known: Mapping[str, str], otherwise: str) -> tuple[str, str]:
    """Of a request's field the field within it that has the value ("" is none), and where it is to be set."""
    for key, path in known.items():
        field, _, inner = key.partition(".")
        if field == name:
            return inner, path
    return "", otherwise


def _set(message: Message, path: str, value: object) -> bool:
    """Set the field of a raw message at a path; False if there is none of that type."""
    *parents, last = path.split(".")
    for name in parents:
        message = getattr(message, name)
    field = message.DESCRIPTOR.fields_by_name.get(last)
    if field is None:
        return False
    message.ClearField(last)
    if field.is_repeated:
        getattr(message, last).MergeFrom(value)
    elif isinstance(value, Message):
        if field.message_type != value.DESCRIPTOR:
            return False
        getattr(message, last).CopyFrom(value)
        getattr(message, last).SetInParent()
    else:
        setattr(message, last, value)
    return True


def _not_modelled(message: str, field: str) -> ApiError:
    return ApiError(grpc.StatusCode.UNIMPLEMENTED, f"The local cloud does not know {message}.{field}.")
