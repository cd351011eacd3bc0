"""The write-ahead log of a running experiment: appended to as it happens, folded at its end."""
