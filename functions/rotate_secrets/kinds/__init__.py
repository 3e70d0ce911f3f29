"""The kinds of secrets, one file each behind one small protocol."""
