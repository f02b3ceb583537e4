"""Groups of alerts: taken, folded, told on one card each, and never lost."""
