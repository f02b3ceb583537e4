"""Drawings of signals, as SVG; pure."""
