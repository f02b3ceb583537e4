"""The Web API's methods, one module for each family; importing the package registers them all."""

from playground.slack.methods import chat, conversations, files, people, views

__all__ = ["chat", "conversations", "files", "people", "views"]
