"""Every command, in the order in which the help lists them. To add one, add its line here."""

from bot.command import AnyCommand
from commands import (
    catalog,
    service_create,
    service_deploy,
    service_freeze,
    service_list,
    service_logs,
    service_promote,
    service_restart,
    service_rollback,
    service_scale,
    service_show,
    service_unfreeze,
    service_unpin,
    service_unscale,
)

COMMANDS: tuple[AnyCommand, ...] = (
    service_create.COMMAND,
    service_deploy.COMMAND,
    service_promote.COMMAND,
    service_rollback.COMMAND,
    service_unpin.COMMAND,
    service_restart.COMMAND,
    service_scale.COMMAND,
    service_unscale.COMMAND,
    service_freeze.COMMAND,
    service_unfreeze.COMMAND,
    service_logs.QUERY,
    service_list.QUERY,
    service_show.QUERY,
    catalog.QUERY,
)
