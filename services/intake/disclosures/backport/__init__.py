"""FHIR R4 Subscriptions by the Subscriptions R5 Backport guide, over the subscribers' queues.

https://hl7.org/fhir/uv/subscriptions-backport/ (STU 1.1)
"""
