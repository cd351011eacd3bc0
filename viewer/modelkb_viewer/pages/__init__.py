"""The pages: each reads its address, has its content prepared, and draws it with components."""
