"""What runs where: services, their versions, and how a release becomes another one. Read by the day-two commands."""
