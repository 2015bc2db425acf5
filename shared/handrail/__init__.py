"""The kit every Handrail service stands on; it knows no service."""
