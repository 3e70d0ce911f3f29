"""Organization policies: google.cloud.orgpolicy.v2, the effective policy of a project."""

import threading
from typing import TYPE_CHECKING

import grpc

from localcloud.core.server import ApiError

if TYPE_CHECKING:
    from google.cloud.orgpolicy_v2.types import GetEffectivePolicyRequest, Policy


class OrgPolicy:
    """Serves ``google.cloud.orgpolicy_v2.OrgPolicyClient``: nothing is forbidden but what was."""

    def __init__(self) -> None:
        self._allowed: dict[str, list[str]] = {}
        self._lock = threading.Lock()

    def allow_only(self, project: str, constraint: str, *values: str) -> None:
        """Let a list constraint (``iam.allowedPolicyMemberDomains``) allow these values alone in a project."""
        with self._lock:
            self._allowed[f"projects/{project}/policies/{constraint}"] = list(values)

    def get_effective_policy(self, request: "GetEffectivePolicyRequest") -> "Policy":
        """The effective policy of a constraint: the values that it allows, or all of them."""
        from google.cloud.orgpolicy_v2.types import Policy, PolicySpec

        if "/policies/" not in request.name:
            raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, f"Invalid name {request.name!r}.")
        with self._lock:
            allowed = self._allowed.get(request.name)
        rule = PolicySpec.PolicyRule(allow_all=True)
        if allowed is not None:
            rule = PolicySpec.PolicyRule(values=PolicySpec.PolicyRule.StringValues(allowed_values=allowed))
        return Policy(name=request.name, spec=PolicySpec(rules=[rule]))
