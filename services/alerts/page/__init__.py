"""The page the care team reads."""
