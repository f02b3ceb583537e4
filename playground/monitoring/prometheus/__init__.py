"""Prometheus as the playground has it: series that are formulas of time, PromQL over them, rules that fire."""
