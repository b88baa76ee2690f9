"""Prints the JSON Schemas of Barbican's validators of requests, by class."""

import inspect
import json

from barbican.common import validators


def schema_of(validator):
    """The schema of a validator; None for a class without one."""
    try:
        return getattr(validator(), 'schema', None)
    except TypeError:
        return None


CLASSES = inspect.getmembers(validators, inspect.isclass)
SCHEMAS = {name: schema_of(value) for name, value in CLASSES}
print(json.dumps({name: schema for name, schema in SCHEMAS.items() if schema is not None}))
