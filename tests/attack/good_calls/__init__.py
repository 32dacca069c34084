"""Good calls of what is public, of which the campaign makes bad ones."""
