"""Alerts: what comes in is grouped, folded and told in the owner's channel, once and in order."""
