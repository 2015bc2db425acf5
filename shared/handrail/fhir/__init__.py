"""FHIR R4 as all services speak it; what is written is a service's own."""
