"""What other systems send, in whatever dialect: taken once, in the order of its time, or kept."""
