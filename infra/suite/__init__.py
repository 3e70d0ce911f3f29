"""The map of the suite as typed values: functions, what the settings name, and where it is deployed."""
