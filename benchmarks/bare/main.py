"""Bare functions-framework functions: the floor that no function of ours can be below."""

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request


@functions_framework.cloud_event
def bare(cloud_event: CloudEvent) -> None:
    """Take an event, and do nothing with it."""
    del cloud_event


@functions_framework.http
def bare_http(request: Request) -> str:
    """Take a request, and do nothing with it."""
    del request
    return ""
