"""The changes that plans are made of. Each is data with apply, undo and proof of absence, against ports only."""

from bot.effects.absence import ProveGone
from bot.effects.agenda import CancelAppointment, MakeAppointment
from bot.effects.alerts import ChangeAlert, EndSilence, SilenceAlert
from bot.effects.backup import AwaitUnprotected, TakeBackup
from bot.effects.book import EndInBook, EnterBook
from bot.effects.builds import AwaitBuild, AwaitOneOfBuilds
from bot.effects.catalog import Note, RegisterInCatalog
from bot.effects.cluster import ApplyObjects
from bot.effects.commits import CommitFiles
from bot.effects.database import AwaitDatabase
from bot.effects.database_commits import DeleteFromGit, GrowDisk, LiftProtection, ProtectDatabase, RetireDatabase
from bot.effects.delivery import AwaitHealthy, RefreshApplication, SyncApplication
from bot.effects.deployment_endings import EndDeployments
from bot.effects.deployment_records import ConcludeDeployment, RecordDeployment
from bot.effects.files import FileBody
from bot.effects.notifications import SetNotifications
from bot.effects.project import JoinProject
from bot.effects.pull_request import OpenPullRequest
from bot.effects.pull_request_comment import LivingComment
from bot.effects.remove_application import AwaitApplicationGone
from bot.effects.remove_files import LeaveProject, RemoveFiles
from bot.effects.remove_namespace import RemoveNamespace
from bot.effects.remove_objects import RemoveObjects, Target
from bot.effects.repository import CreateRepository, FinishRepository
from bot.effects.repository_settings import CreateWebhook, GrantTeam, ProtectBranch, SetVariables
from bot.effects.retire import RetireApplication
from bot.effects.rooms import AddPeople, OpenRoom, SayInRoom, TellPeople
from bot.effects.visits import AdmitVisitor, AwaitVisitor
from bot.model.effect import Effect, EffectCatalog

EFFECTS: tuple[type[Effect], ...] = (
    CreateRepository,
    CommitFiles,
    FinishRepository,
    ProtectBranch,
    GrantTeam,
    SetVariables,
    CreateWebhook,
    OpenPullRequest,
    LivingComment,
    RegisterInCatalog,
    Note,
    MakeAppointment,
    CancelAppointment,
    AwaitBuild,
    AwaitOneOfBuilds,
    RecordDeployment,
    ConcludeDeployment,
    EndDeployments,
    JoinProject,
    RetireApplication,
    RefreshApplication,
    SyncApplication,
    AwaitHealthy,
    AwaitDatabase,
    ApplyObjects,
    EnterBook,
    EndInBook,
    AdmitVisitor,
    AwaitVisitor,
    RetireDatabase,
    GrowDisk,
    ProtectDatabase,
    LiftProtection,
    AwaitUnprotected,
    TakeBackup,
    DeleteFromGit,
    RemoveNamespace,
    RemoveObjects,
    RemoveFiles,
    LeaveProject,
    AwaitApplicationGone,
    ProveGone,
    ChangeAlert,
    SilenceAlert,
    EndSilence,
    OpenRoom,
    AddPeople,
    SayInRoom,
    TellPeople,
    SetNotifications,
)


def effect_catalog() -> EffectCatalog:
    """Return the catalog that turns stored effects back into live ones."""
    return EffectCatalog(EFFECTS)


__all__ = [
    "EFFECTS",
    "AddPeople",
    "AdmitVisitor",
    "ApplyObjects",
    "AwaitApplicationGone",
    "AwaitBuild",
    "AwaitDatabase",
    "AwaitHealthy",
    "AwaitOneOfBuilds",
    "AwaitUnprotected",
    "AwaitVisitor",
    "CancelAppointment",
    "ChangeAlert",
    "CommitFiles",
    "ConcludeDeployment",
    "CreateRepository",
    "CreateWebhook",
    "DeleteFromGit",
    "EndDeployments",
    "EndInBook",
    "EndSilence",
    "EnterBook",
    "FileBody",
    "FinishRepository",
    "GrantTeam",
    "GrowDisk",
    "JoinProject",
    "LeaveProject",
    "LiftProtection",
    "LivingComment",
    "MakeAppointment",
    "Note",
    "OpenPullRequest",
    "OpenRoom",
    "ProtectBranch",
    "ProtectDatabase",
    "ProveGone",
    "RecordDeployment",
    "RefreshApplication",
    "RegisterInCatalog",
    "RemoveFiles",
    "RemoveNamespace",
    "RemoveObjects",
    "RetireApplication",
    "RetireDatabase",
    "SayInRoom",
    "SetNotifications",
    "SetVariables",
    "SilenceAlert",
    "SyncApplication",
    "TakeBackup",
    "Target",
    "TellPeople",
    "effect_catalog",
]
