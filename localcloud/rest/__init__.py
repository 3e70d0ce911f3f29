"""The local cloud: every gRPC method over REST, by Google's http rules. Imported at the first request that needs it."""
