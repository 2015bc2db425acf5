"""A simulated year of a clinic, and its census, doses and reports reckoned twice."""
