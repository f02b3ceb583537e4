"""What each command of `causeway` does, once its words are read."""
