"""How a database is filled from another one, as the platform team has decided for the environment of the source."""

from __future__ import annotations

from bot.errors import Refused
from bot.rendering.stores.seeds import Seed, SeedByJob, SeedFromBackup, SeedFromImport
from bot.rendering.stores.store import Store
from bot.rendering.stores.variables import NAME


def seed_from(source: Store) -> Seed:
    """Return what fills another database from this one. Raise `Refused` where the platform knows no way."""
    here, seeding = source.environment, source.settings.seeding
    setting = f"platform.environments.{here}.database.seeding"
    if seeding is None:
        raise Refused(
            f"Nothing is filled from the databases of {here}.", hint=f"The platform team says how with `{setting}`."
        )
    if seeding.method == "job":
        return SeedByJob(
            image=seeding.image, command=seeding.command, secret=seeding.secret, database=source.name, source=here
        )
    if source.settings.provider != "cloudnativepg":
        told = f"The database of {source.service} in {here} does not run in a cluster, so it cannot be read from there."
        raise Refused(told, hint=f"The platform team sets `{setting}.method: job`, and says which program fills it.")
    if seeding.method == "import":
        host = f"{source.name}-rw.{source.namespace}.svc"
        return SeedFromImport(host=host, secret=seeding.secret, database=NAME, user=NAME, source=here)
    backups = source.settings.backups
    if backups.method != "plugin":
        raise Refused(
            f"The backups of {here} do not go to object storage, and no other namespace can read them.",
            hint=f"The platform team sets `{setting}.method` to `import` or `job`, or `backups.method: plugin`.",
        )
    return SeedFromBackup(
        cluster=source.name,
        namespace=source.namespace,
        plugin=backups.plugin,
        parameters=backups.parameters,
        source=here,
    )
