"""The local cloud: firestore."""
