"""Every command, in the order in which the help lists them. To add one, add its line here."""

from bot.command import AnyCommand
from commands import catalog, service_create, service_list, service_show

COMMANDS: tuple[AnyCommand, ...] = (
    service_create.COMMAND,
    service_list.QUERY,
    service_show.QUERY,
    catalog.QUERY,
)
