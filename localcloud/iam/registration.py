"""IAM's service agents in the local cloud."""

from localcloud.core.service import Service
from localcloud.iam.service_agents import ServiceAgents

SERVICE_AGENTS = Service(lambda _: ServiceAgents(), is_http=True)
