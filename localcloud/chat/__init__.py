"""The local cloud: incoming webhooks of Slack and of Google Chat."""
