"""The service: its HTTP routes are in `app`, everything around them beside it."""
