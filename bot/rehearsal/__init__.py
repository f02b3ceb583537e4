"""`causeway rehearse`: one day, played against a running playground from outside."""
