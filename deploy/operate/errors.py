"""What goes wrong in a way a person can answer."""


class OperateError(Exception):
    """One clear line: what is wrong and what to do. Shown without a traceback."""
