"""The autoscaling of a node pool in words that a person reads in reports and records, and that say it all."""

import re

import msgspec

from functions.scale_gpu_pools.world import OFF

NO_POLICY = "LOCATION_POLICY_UNSPECIFIED"
_WORDS = re.compile(
    r"(?P<least>\d+) to (?P<most>\d+) nodes (?P<of>in each zone|in all)"
    r"(?:, (?P<policy>[A-Z]+))?(?P<autoprovisioned>, autoprovisioned)?"
)


class Autoscaling(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """GKE's ``NodePoolAutoscaling``, as its JSON has it: what is empty is left out.

    https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodePoolAutoscaling
    """

    enabled: bool = False
    min_node_count: int = 0
    max_node_count: int = 0
    total_min_node_count: int = 0
    total_max_node_count: int = 0
    location_policy: str = ""
    """BALANCED, ANY, LOCATION_POLICY_UNSPECIFIED or nothing."""
    autoprovisioned: bool = False

    def __str__(self) -> str:
        if not self.enabled:
            return OFF
        in_all = self.total_max_node_count > 0
        least, most = (
            (self.total_min_node_count, self.total_max_node_count)
            if in_all
            else (self.min_node_count, self.max_node_count)
        )
        policy = f", {self.location_policy}" if self.location_policy not in ("", NO_POLICY) else ""
        made = ", autoprovisioned" if self.autoprovisioned else ""
        return f"{least} to {most} nodes {'in all' if in_all else 'in each zone'}{policy}{made}"


def is_same(found: str, original: str) -> bool:
    """Whether an autoscaling that is read back is the one that was there: GKE fills in a policy that was not said."""
    if found == original:
        return True
    ours = read_autoscaling(original)
    return not ours.location_policy and msgspec.structs.replace(read_autoscaling(found), location_policy="") == ours


def read_autoscaling(words: str) -> Autoscaling:
    """The autoscaling that these words say. Raises ``ValueError`` if they say none."""
    if words == OFF:
        return Autoscaling()
    found = _WORDS.fullmatch(words)
    if found is None:
        raise ValueError(f"{words!r} is no autoscaling of a node pool")
    least, most = int(found["least"]), int(found["most"])
    in_all = found["of"] == "in all"
    return Autoscaling(
        enabled=True,
        min_node_count=0 if in_all else least,
        max_node_count=0 if in_all else most,
        total_min_node_count=least if in_all else 0,
        total_max_node_count=most if in_all else 0,
        location_policy=found["policy"] or "",
        autoprovisioned=bool(found["autoprovisioned"]),
    )
