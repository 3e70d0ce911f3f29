"""Quotas as the Cloud Quotas API tells them: how much of something a project may have in a place."""

from collections.abc import Mapping

import msgspec

from shared.clients import Clients
from shared.rest import get

ADDRESS = "https://cloudquotas.googleapis.com/v1"
UNLIMITED = -1
REQUEST = "https://console.cloud.google.com/iam-admin/quotas"
"""The page on which a person asks for more."""


class _Details(msgspec.Struct):
    value: str = "0"
    """In Google's JSON a 64-bit number is in quotes, and a zero is left out."""


class _Dimensions(msgspec.Struct, rename="camel"):
    dimensions: dict[str, str] | None = None
    details: _Details = msgspec.field(default_factory=_Details)
    applicable_locations: list[str] = []


class _QuotaInfo(msgspec.Struct, rename="camel"):
    dimensions_infos: list[_Dimensions] = []


def limit(clients: Clients, project: str, service: str, quota: str, wanted: Mapping[str, str]) -> int | None:
    """The limit of a quota with these dimensions (``region``, ``gpu_family``); None if it does not say.

    The value with more matching dimensions takes precedence; -1 is no limit. Raises ``GoogleAPIError`` as reads do.
    https://docs.cloud.google.com/docs/quotas/reference/rest/v1/projects.locations.services.quotaInfos
    """
    address = f"{ADDRESS}/projects/{project}/locations/global/services/{service}/quotaInfos/{quota}"
    answer = get(clients, address, {}, _QuotaInfo)
    found = [one for one in answer.dimensions_infos if _is_for(one, wanted)]
    return int(max(found, key=lambda one: len(one.dimensions or {})).details.value) if found else None


def _is_for(one: _Dimensions, wanted: Mapping[str, str]) -> bool:
    if any(wanted.get(name) != value for name, value in (one.dimensions or {}).items()):
        return False
    return not one.applicable_locations or not {"global", wanted.get("region")}.isdisjoint(one.applicable_locations)
