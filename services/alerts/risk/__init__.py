"""Risk: how likely it is that a person is not seen again soon, and why, in points that add up."""
