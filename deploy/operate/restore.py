"""`handrail restore`; see `operate.backup`."""

from operate.backup import restore_command as command

__all__ = ["command"]
