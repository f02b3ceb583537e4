"""Rules: what is recorded, and what fires into Alertmanager, as the playground's time goes on."""
