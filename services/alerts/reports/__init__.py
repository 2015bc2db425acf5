"""Reports of a site: what became of people, in numbers that reveal nobody."""
