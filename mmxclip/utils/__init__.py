"""Small things that every part needs: argument checks, files."""
