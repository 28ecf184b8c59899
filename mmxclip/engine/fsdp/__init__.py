"""Models in shares on several devices."""
