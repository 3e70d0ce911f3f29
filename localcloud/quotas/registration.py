"""Cloud Quotas in the local cloud."""

from localcloud.core.service import Service
from localcloud.quotas.service import CloudQuotas

CLOUD_QUOTAS = Service(lambda _: CloudQuotas(), is_http=True)
