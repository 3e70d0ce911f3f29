"""The IAM policies of topics and subscriptions: kept, and not enforced."""

import threading
from abc import ABC, abstractmethod

from google.iam.v1.iam_policy_pb2 import (
    GetIamPolicyRequest,
    SetIamPolicyRequest,
    TestIamPermissionsRequest,
    TestIamPermissionsResponse,
)
from google.iam.v1.policy_pb2 import Policy

from localcloud.iam.policies import IamPolicies


class HasPolicies(ABC):
    """Serves ``google.iam.v1.IAMPolicy`` for resources that have policies."""

    def __init__(self) -> None:
        self.policies = IamPolicies()
        self._lock = threading.RLock()

    @abstractmethod
    def _check_exists(self, name: str) -> None:
        """Raises NOT_FOUND if there is no such resource."""

    def get_iam_policy(self, request: GetIamPolicyRequest) -> Policy:
        """The policy of a topic or a subscription. It is deleted with the resource."""
        with self._lock:
            self._check_exists(request.resource)
            return self.policies.get(request.resource)

    def set_iam_policy(self, request: SetIamPolicyRequest) -> Policy:
        """Replace the policy of a topic or a subscription."""
        with self._lock:
            self._check_exists(request.resource)
            return self.policies.set(request.resource, request)

    def test_iam_permissions(self, request: TestIamPermissionsRequest) -> TestIamPermissionsResponse:
        """All of the permissions: nothing is denied here."""
        with self._lock:
            self._check_exists(request.resource)
            return TestIamPermissionsResponse(permissions=request.permissions)
