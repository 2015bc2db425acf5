"""Who may call which route: one table a service, one pure decision, deny by default."""
