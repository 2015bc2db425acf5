"""Personal fields: sealed with a key for each person, so that erasing is destroying a key."""
