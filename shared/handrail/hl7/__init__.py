"""HL7 v2: read, answered and sent."""
