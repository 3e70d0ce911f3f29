"""The world's name before 0.2.0: it is `localcloud.world` now."""

from localcloud.world import load_world, seed, world_from

__all__ = ["load_world", "seed", "world_from"]
