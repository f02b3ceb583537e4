"""From rendered objects to the effects that bring them where they run: by Git and Argo CD, or by server-side apply."""

from bot.rendering.delivery.change import Change, Place, Standing, deliver, folder_of
from bot.rendering.delivery.reading import read_standing
from bot.rendering.delivery.rights import refuse_without_rights

__all__ = ["Change", "Place", "Standing", "deliver", "folder_of", "read_standing", "refuse_without_rights"]
