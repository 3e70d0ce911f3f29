"""The automation `notify_chat`."""
