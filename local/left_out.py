"""Leaves out what Google's client packages import and nothing here calls: a tenth of the laptop run's memory.

A package imports all of itself at once: of each service an asynchronous client and transports for REST, services that
the suite has no use for, what the packages of Firestore and Logging have built upon their services, for the keys of
service accounts, which are not used here, all of cryptography, and what guesses the encoding of answers that name none.
An empty module takes the place of each, whose classes say so when they are used.
"""

import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

LEFT_OUT = re.compile(
    r"google\..*\.(async_\w+|\w+_async|transports\.(rest|rest_base|grpc_asyncio))"
    r"|grpc\.(experimental\.)?aio|grpc_status\._async|google\.auth\.aio\..*"
    r"|google\.oauth2\.service_account"
    r"|google\.cloud\.(firestore_v1|logging_v2)\.(?!_compat|gapic_version|services|types)\w+"
    r"|google\.cloud\.monitoring_v3\.services\.(?!metric_service)\w+"
    r"|google\.cloud\.run_v2\.services\.(builds|tasks)|google\.pubsub_v1\.services\.schema_service"
    r"|charset_normalizer\.(?!version)\w+"
)
CLIENTS = re.compile(r"google\.(cloud\.\w+|cloud\.billing\.\w+|pubsub_v1)\.services(\.\w+)*")
"""All clients: the process of the local cloud answers them, and makes its own calls by REST."""


class LeftOut(MetaPathFinder, Loader):
    """Finds an empty module for each that is left out."""

    def __init__(self, *patterns: re.Pattern[str]) -> None:
        self._patterns = patterns or (LEFT_OUT,)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The substitute for a module that is left out; None for any other."""
        del path, target
        is_left_out = any(one.fullmatch(fullname) for one in self._patterns)
        return ModuleSpec(fullname, self, is_package=True) if is_left_out else None

    def exec_module(self, module: ModuleType) -> None:
        """Let the module have a class of every name."""
        name = module.__name__

        def refuse(*_: object, **__: object) -> NoReturn:
            raise NotImplementedError(f"{name} is left out here: see local/left_out.py")

        def __getattr__(attribute: str) -> type:  # noqa: N807 - https://peps.python.org/pep-0562/
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return type(attribute, (), {"__init__": refuse})

        vars(module)["__getattr__"] = __getattr__


def leave_out(*patterns: re.Pattern[str]) -> None:
    """From now on import none of it, by default of `LEFT_OUT`; what has been imported already stays."""
    sys.meta_path.insert(0, LeftOut(*patterns))
