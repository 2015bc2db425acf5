"""Tells schemathesis how a message of HL7 v2 is written: as text."""

import schemathesis

schemathesis.serializer.alias("application/hl7-v2", "text/plain")
