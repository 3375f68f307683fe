"""The reference in docs/reference, made from the code, and the names that documentation may use. Not in the wheel."""
