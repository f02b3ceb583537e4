"""The port Traces on Tempo."""

from integrations.tempo.traces import Tempo, connect

__all__ = ["Tempo", "connect"]
