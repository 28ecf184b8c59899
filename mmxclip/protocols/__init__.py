"""The protocols of the papers: what is trained, what is tested, and the table."""
