"""Answers about health: verdicts as people and programs read them. Pure but for asking."""
