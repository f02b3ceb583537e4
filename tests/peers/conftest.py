"""What every peer's tests may ask for."""

from tests.peers.control_plane.fixtures import control_plane

__all__ = ["control_plane"]
