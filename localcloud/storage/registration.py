"""Cloud Storage in the local cloud."""

from localcloud.core.service import Section, Service
from localcloud.core.world_format import Project
from localcloud.storage.seed import Bucket, add_buckets
from localcloud.storage.service import CloudStorage

STORAGE = Service(
    lambda cloud: CloudStorage(cloud.clock, cloud.http),
    is_http=True,
    sections=(Section(Project, "buckets", dict[str, Bucket], add_buckets),),
    happenings=(CloudStorage.write,),
)
