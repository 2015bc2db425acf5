"""HL7 v2 messages in: read, answered, applied once and in the order of their time, or kept."""
