"""Bulk export by FHIR: the reports of the sites, and nothing that is of one person.

https://hl7.org/fhir/uv/bulkdata/ (STU 2)
"""
