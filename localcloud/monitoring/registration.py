"""Cloud Monitoring in the local cloud."""

from localcloud.core.rpcs import Api
from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.monitoring.seed import TimeSeries, add_time_series
from localcloud.monitoring.service import Monitoring

MONITORING = Service(
    lambda cloud: Monitoring(cloud.clock),
    transports=(Api("google.cloud.monitoring_v3.services.metric_service", "MetricService"),),
    sections=(Section(Project, "time_series", list[TimeSeries], add_time_series, default=list),),
)
