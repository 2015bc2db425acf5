"""A simulated intensive outpatient programme, played through the services' public APIs."""

from operate.simulate.play import Plan, Played, play

__all__ = ["Plan", "Played", "play"]
