"""FHIR R4 as all services speak it: reading and searching, nothing is written."""
