"""Previews: which there are, what each is made from, how long it lives, and how it ends. Below the commands."""
