"""The local cloud's name before 0.2.0, for tools that still import it from here: it is `localcloud` now."""

from localcloud import LocalCloud

__all__ = ["LocalCloud"]
