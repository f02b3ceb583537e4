"""`causeway doctor`: what an installation still lacks, and how to mend it. It changes nothing anywhere."""

from bot.terminal.doctor.examination import examine

__all__ = ["examine"]
