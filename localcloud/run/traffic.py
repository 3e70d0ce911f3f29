"""The revisions that get a service's requests: its latest ready one, or those that it names.

Limits: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration.
"""

from collections.abc import Iterator

from google.cloud import run_v2

from localcloud.core.messages import invalid

LONGEST_TAGGED_NAME = 46

_LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
_REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def check_traffic(service: run_v2.Service, where: str) -> None:
    """Raise INVALID_ARGUMENT for targets that do not share all of the traffic, or are none."""
    for number, target in enumerate(service.traffic):
        if target.type_ == _REVISION and not target.revision:
            raise invalid(f"Violation in {where}.traffic[{number}].revision: must not be empty.")
        if target.type_ == _LATEST and target.revision:
            raise invalid(f"Violation in {where}.traffic[{number}].revision: must be empty for the latest revision.")
        name = f"{target.tag}{service.name.rpartition('/')[2]}"
        if target.tag and len(name) > LONGEST_TAGGED_NAME:
            raise invalid(f"Violation in {where}.traffic[{number}].tag: tag and service have over 46 characters.")
    if service.traffic and sum(target.percent for target in service.traffic) != 100:
        raise invalid(f"Violation in {where}.traffic: the percentages must add up to 100.")


def named_revisions(service: run_v2.Service) -> Iterator[str]:
    """The ids of the revisions that receive traffic, or have a tag, by name."""
    yield from (target.revision for target in service.traffic if target.type_ == _REVISION)


def statuses(service: run_v2.Service) -> list[run_v2.TrafficTargetStatus]:
    """The current traffic targets. The latest ready revision is not named, as in answers that users show."""
    return [
        run_v2.TrafficTargetStatus(
            type_=target.type_,
            revision=target.revision,
            percent=target.percent,
            tag=target.tag,
            uri=service.uri.replace("https://", f"https://{target.tag}---") if target.tag else "",
        )
        for target in service.traffic
    ]
