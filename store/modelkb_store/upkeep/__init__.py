"""Looking after a store: checking, mending, deleting, giving space back."""
