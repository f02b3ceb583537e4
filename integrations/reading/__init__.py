"""What the adapters of Prometheus, Alertmanager, Loki and Tempo share: bounded answers, their texts, series and times,
and the errors that a failure becomes."""

from integrations.reading.bodies import document
from integrations.reading.client import Client, Reply
from integrations.reading.errors import no_result, problem
from integrations.reading.series import measured
from integrations.reading.texts import clean, said, texts

__all__ = ["Client", "Reply", "clean", "document", "measured", "no_result", "problem", "said", "texts"]
