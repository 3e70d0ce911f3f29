"""The cost of a preview while it serves requests, from list prices. Pure."""

VCPU_SECOND = 0.000024
GIB_SECOND = 0.0000025
"""USD, request-based billing, 2026-11, in regions of tier 1; others cost more: https://cloud.google.com/run/pricing."""

MEBIBYTES = {"Mi": 1, "Gi": 1024}


def an_hour(cpu: str, memory: str) -> float:
    """USD for an hour in which one instance is busy, with so many CPUs and so much memory (``512Mi``, ``1Gi``)."""
    gibibytes = int(memory[:-2]) * MEBIBYTES[memory[-2:]] / 1024
    return 3600 * (int(cpu) * VCPU_SECOND + gibibytes * GIB_SECOND)
