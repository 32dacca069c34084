"""Looking at what the engine does: nothing in here is needed to train, and the engine imports none of it."""
