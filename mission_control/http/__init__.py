"""The JSON API as a mechanism: authentication, operations, safe retries, the OpenAPI document.

It knows no room that serves operations. Read `operation_api.py` (how a function becomes an operation) first.
"""
