"""A Tempo that has the traces of the requests to the playground's living services."""
