"""The Organization Policy Service in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Service
from localcloud.org_policy.service import OrgPolicy

ORG_POLICY = Service(
    lambda _: OrgPolicy(), transports=(Api("google.cloud.orgpolicy_v2.services.org_policy", "OrgPolicy"),)
)
