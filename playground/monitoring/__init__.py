"""What watches the playground's services: Prometheus, Alertmanager, Loki and Tempo, which tell one story."""
