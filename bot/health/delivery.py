"""Why Argo CD has not brought the wanted objects into the cluster."""

from __future__ import annotations

import re

from bot.health.facts import StuckFacts
from bot.health.reason import Reason
from bot.health.refusals import explained
from bot.health.words import listed, said, short
from bot.ports import Application, SyncOperation

_ATTEMPTS = re.compile(
    r"\s*(?:\(retried \d+ times?\)|\(attempt #\d+.*?\))\.?|\.?\s*Retrying attempt #\d+ at [\d:. APM]+", re.IGNORECASE
)
_LEAD = re.compile(r"^one or more (?:objects failed to apply|synchronization tasks[^,:]*)(?:,? ?reason)?: ?")
_AGAIN = "deploy again, or roll back."
_REPOSITORY = re.compile(
    r"authentication required|repository not accessible|repository not found|permission denied \(publickey|"
    r"failed to (?:list refs|fetch)|unable to (?:resolve|ls-remote)|dial tcp|could not read Username",
    re.IGNORECASE,
)
_NO_FOLDER = re.compile(r"(?P<path>\S+): app path does not exist|app path does not exist")
_NO_PROJECT = re.compile(
    r"project (?P<project>\S+) which does not exist|appproject[^\"]*\"(?P<other>[^\"]+)\" not found", re.IGNORECASE
)
_WORST_FIRST = ("Degraded", "Missing", "Progressing", "Suspended", "Unknown")
_REFUSED = re.compile(r"in project '(?P<project>[^']+)'|to use project '(?P<other>[^']+)'")


def reason(facts: StuckFacts) -> Reason | None:
    """Return the reason at the level of the Application; None when Argo CD has done its part, or may still."""
    application = facts.application
    if application is None:
        return _missing(facts) if facts.delivered_by and not facts.argocd_problem else None
    found = (
        _condition(facts, application)
        or _failed_sync(facts, application)
        or _closed_window(facts, application)
        or _nobody_syncs(facts, application)
    )
    return None if found is None else _with_chain(found, application)


def late_reason(facts: StuckFacts) -> Reason | None:
    """Return what remains to be said of the Application when nothing in the cluster explains it."""
    application = facts.application
    if application is None:
        return None
    found = _unread(facts, application) or _stays_out_of_sync(facts, application) or _unhealthy(facts, application)
    return None if found is None else _with_chain(found, application)


def line(application: Application) -> str:
    """One line of evidence."""
    revision = short(application.revision) or "no commit"
    return f"Application {application.name}: {application.sync} at {revision}, {application.health}"


def _with_chain(found: Reason, application: Application) -> Reason:
    return Reason(found.sentence, found.next_step, (line(application), *found.evidence), found.final)


def _missing(facts: StuckFacts) -> Reason:
    return Reason(
        f"{facts.subject} is not deployed: Argo CD shows no Application {facts.delivered_by}.",
        f"See in Argo CD whether the root application has applied {facts.delivered_by}.yaml, "
        "and whether our account may see it.",
    )


def _condition(facts: StuckFacts, application: Application) -> Reason | None:
    told = dict(reversed(application.conditions))
    if "InvalidSpecError" in told:
        return _invalid(facts, application, told["InvalidSpecError"])
    if "ComparisonError" in told:
        return _not_compared(facts, application, told["ComparisonError"])
    return None


def _invalid(facts: StuckFacts, application: Application, message: str) -> Reason:
    missing, refused = _NO_PROJECT.search(message), _REFUSED.search(message)
    subject = f"{facts.subject} is not updated"
    evidence = (f"InvalidSpecError: {said(message)}",)
    if missing is not None:
        project = missing["project"] or missing["other"]
        return Reason(
            f"{subject}: its Argo CD project {project} does not exist.",
            "See in Argo CD whether the root application has applied it.",
            evidence,
        )
    if refused is not None:
        project = refused["project"] or refused["other"]
        return Reason(
            f"{subject}: the Argo CD project {project} refuses it ({said(message)}).",
            f"Ask the platform team to allow it in the project {project}.",
            evidence,
        )
    step = f"Mend the Application {application.name} in the GitOps repository, or {_AGAIN}"
    return Reason(f"{subject}: Argo CD calls its Application invalid ({said(message)}).", step, evidence)


def _not_compared(facts: StuckFacts, application: Application, message: str) -> Reason:
    subject = f"{facts.subject} is not updated"
    evidence = (f"ComparisonError: {said(message)}",)
    if _NO_FOLDER.search(message):
        return Reason(
            f"{subject}: the folder {application.path} does not exist in the GitOps repository.",
            f"See why the commit that made it is gone, and {_AGAIN}",
            evidence,
        )
    if "failed to load live state" in message.lower() or "cluster" in message.lower().partition(":")[0]:
        return Reason(
            f"{subject}: Argo CD cannot read the cluster ({said(message)}).",
            "Tell the platform team; it goes on by itself once Argo CD reaches the cluster.",
            evidence,
        )
    if _REPOSITORY.search(message):
        return Reason(
            f"{subject}: Argo CD cannot read the repository {application.repo_url}.",
            "Ask the platform team to check Argo CD's credentials for it; it goes on by itself then.",
            evidence,
        )
    return Reason(
        f"{subject}: Argo CD cannot make objects out of {application.path} ({said(message)}).",
        f"Mend what it names in the GitOps repository, {_AGAIN}",
        evidence,
    )


def _failed_sync(facts: StuckFacts, application: Application) -> Reason | None:
    operation = application.operation
    if operation is None or not _concerns(operation, application):
        return None
    over = operation.phase in ("Failed", "Error")
    message = _LEAD.sub("", _ATTEMPTS.sub("", operation.message)).strip()
    if not over and not ("failed" in operation.message or "Retrying" in operation.message):
        return None
    if "blocked by sync window" in operation.message:
        return None  # told with the window
    own = next((one.message for one in application.resources if one.sync == "OutOfSync" and one.message), "")
    why = explained(message) or explained(own)
    cause = f", because {why.cause}" if why is not None else f": {said(own or message) or 'it gives no reason'}"
    what = short(operation.revision) or "it"
    return Reason(
        f"{facts.subject} is not updated: Argo CD could not apply {what}{cause}.",
        why.next_step if why is not None else f"Mend what it names, {_AGAIN}",
        (f"Sync {operation.phase}: {said(message)}",),
        final=over and (why is None or why.final),
    )


def _concerns(operation: SyncOperation, application: Application) -> bool:
    """Leave out the failed sync of a commit that is no longer the compared one."""
    return not operation.revision or not application.revision or operation.revision == application.revision


def _closed_window(facts: StuckFacts, application: Application) -> Reason | None:
    windows = facts.windows
    if windows is None or windows.may_sync or application.sync != "OutOfSync":
        return None
    named = f" (`{windows.told}`)" if windows.told else ""
    by_hand = "or let somebody press Sync in Argo CD, which this window allows"
    step = f"Wait until syncs are allowed again{f', {by_hand}' if windows.may_sync_by_hand else ''}."
    return Reason(
        f"{facts.subject} is not updated: a sync window of the project {application.project} is closed{named}.",
        step,
        final=True,
    )


def _nobody_syncs(facts: StuckFacts, application: Application) -> Reason | None:
    running = application.operation is not None and application.operation.phase == "Running"
    if application.automated or application.sync != "OutOfSync" or running:
        return None
    return Reason(
        f"{facts.subject} is not updated: {application.name} is out of sync, and automated sync is switched off.",
        f"Press Sync in Argo CD, or switch `automated` on in the Application {application.name}.",
        final=True,
    )


def _unread(facts: StuckFacts, application: Application) -> Reason | None:
    if not facts.unread_revision:
        return None
    now = f"it is still at {short(application.revision)}" if application.revision else "it has read none yet"
    return Reason(
        f"{facts.subject} is not updated: Argo CD has not read commit {short(facts.unread_revision)} yet; {now}.",
        f"Press Refresh in Argo CD; if that does not help, see whether it can reach {application.repo_url}.",
    )


def _stays_out_of_sync(facts: StuckFacts, application: Application) -> Reason | None:
    if application.sync != "OutOfSync":
        return None
    names = [str(one.ref) for one in application.resources if one.sync == "OutOfSync"]
    which = f": {listed(names[:3])} differ{'s' if len(names) == 1 else ''} from Git" if names else ""
    return Reason(
        f"{facts.subject} is not updated: Argo CD has synced it, and it is out of sync again{which}.",
        "See in Argo CD what differs: something in the cluster changes it after each sync.",
    )


def _unhealthy(facts: StuckFacts, application: Application) -> Reason | None:
    if application.health == "Healthy":
        return None
    bad = [one for one in application.resources if one.health not in (None, "Healthy")]
    bad.sort(key=lambda one: _WORST_FIRST.index(one.health or "Unknown"))
    if not bad and not facts.unreadable:
        told = f" ({said(application.health_message)})" if application.health_message else ""
        though = ", though its pods are ready" if facts.is_rolled_out else ""
        return Reason(
            f"{facts.subject} is not healthy: Argo CD calls it {application.health}{told}{though}.",
            f"Look at {application.name} in Argo CD for what is not ready yet.",
        )
    if not bad:
        return None  # what we may not read is told instead
    worst = bad[0]
    told = f": {said(worst.message)}" if worst.message else ""
    return Reason(
        f"{facts.subject} is not healthy: {worst.ref} is {worst.health}{told}.",
        f"Look at it in Argo CD or with `kubectl describe {worst.ref.kind.lower()} {worst.ref.name}`.",
        (f"{worst.ref}: {worst.health}",),
    )
