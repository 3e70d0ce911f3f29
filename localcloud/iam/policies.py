"""IAM policies of resources, as services store them.

https://docs.cloud.google.com/iam/docs/reference/rest/v1/Policy. Roles are not evaluated, and access is never denied: a
policy is only kept.
"""

import re
from collections.abc import Iterable

import grpc
from google.iam.v1.iam_policy_pb2 import SetIamPolicyRequest
from google.iam.v1.policy_pb2 import Binding, Policy

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError

EVERYBODY = ("allUsers", "allAuthenticatedUsers")
EMPTY_ETAG = b"\x00 \x01"
"""ACAB in base64: what a resource answers on which no policy was ever set."""
FIELDS = {"bindings", "etag", "version"}
VERSIONS = (0, 1, 3)

_ROLE = re.compile(r"(?:(?:projects|organizations)/[^/]+/)?roles/[A-Za-z0-9_.]+")
_MEMBER = re.compile(
    r"allUsers|allAuthenticatedUsers"
    r"|(?:user|serviceAccount|group):[^:@\s]+@[^:@\s]+|domain:[^:\s]+"
    r"|project(?:Owner|Editor|Viewer):[^:\s]+|deleted:\S+|principal(?:Set)?://\S+"
)


class IamPolicies:
    """The policies of some resources, by what tells one resource from a later one of the same name."""

    def __init__(self) -> None:
        self.allow_everybody = True
        """False: an organization policy restricts members to its own domains, so nothing can be made public."""
        self._policies: dict[str, Policy] = {}
        self._version = 0

    def get(self, uid: str) -> Policy:
        """The policy of a resource, which is empty until one is set."""
        found = Policy()
        found.CopyFrom(self._policies.get(uid, Policy(etag=EMPTY_ETAG)))
        return found

    def forget(self, uid: str) -> None:
        """Delete the policy of a resource that is gone."""
        self._policies.pop(uid, None)

    def set(self, uid: str, request: SetIamPolicyRequest) -> Policy:
        """Replace the policy of a resource.

        Raises ABORTED for an etag that is not the newest, INVALID_ARGUMENT, FAILED_PRECONDITION for all users where
        that is not allowed, and UNIMPLEMENTED for conditions and audit configurations.
        """
        wanted = request.policy
        _check(request)
        if wanted.etag and wanted.etag != self.get(uid).etag:
            raise ApiError(
                grpc.StatusCode.ABORTED,
                "There were concurrent policy changes. Please retry the whole read-modify-write with exponential "
                "backoff.",
            )
        if not self.allow_everybody and any(one in EVERYBODY for binding in wanted.bindings for one in binding.members):
            raise ApiError(
                grpc.StatusCode.FAILED_PRECONDITION,
                "One or more users named in the policy do not belong to a permitted customer, "
                "perhaps due to an organization policy.",
            )
        self._version += 1
        etag = self._version.to_bytes(8)
        self._policies[uid] = Policy(version=1, bindings=_merged(wanted.bindings), etag=etag)
        return self.get(uid)


def _check(request: SetIamPolicyRequest) -> None:
    policy = request.policy
    if others := set(request.update_mask.paths) - FIELDS:
        raise invalid(f"update_mask: {', '.join(sorted(others))} cannot be set.")
    if policy.audit_configs or any(one.HasField("condition") for one in policy.bindings):
        what = "conditions and audit configurations are not served by the local cloud"
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, what)
    if policy.version not in VERSIONS:
        raise invalid(f"policy.version: {policy.version} is none of 0, 1 and 3.")
    for binding in policy.bindings:
        if not _ROLE.fullmatch(binding.role):
            raise invalid(f"Role {binding.role!r} is not supported for this resource.")
        for member in binding.members:
            if not _MEMBER.fullmatch(member):
                raise invalid(f"Invalid member {member!r}: expected TYPE:ID, allUsers or allAuthenticatedUsers.")


def _merged(bindings: Iterable[Binding]) -> list[Binding]:
    """One binding for each role that has members, each member once."""
    members: dict[str, list[str]] = {}
    for binding in bindings:
        known = members.setdefault(binding.role, [])
        known += [one for one in dict.fromkeys(binding.members) if one not in known]
    return [Binding(role=role, members=found) for role, found in members.items() if found]
