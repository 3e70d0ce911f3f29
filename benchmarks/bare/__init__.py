"""What everything is measured against: a function that does nothing."""
