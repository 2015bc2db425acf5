"""Running Handrail: the command, the demo, the replay and what starts everything."""
