"""How a service is, read from all that can be asked, within the time there is."""
