output "account" {
  description = "The address of the function's service account."
  value       = google_service_account.function.email
}

output "uri" {
  description = "The function's own address."
  value       = google_cloudfunctions2_function.function.service_config[0].uri
}

output "inbox" {
  description = "The full name of its inbox, where publishing is authority to command; null for webhooks."
  value       = one(google_pubsub_topic.inbox[*].id)
}

output "subscriptions" {
  description = "The names of its push subscriptions, by topic."
  value       = { for topic, subscription in google_pubsub_subscription.push : topic => subscription.name }
}

output "dead_letters" {
  description = "The name of the subscription that keeps its dead letters; null for webhooks."
  value       = one(google_pubsub_subscription.dead_letters[*].name)
}

output "publisher_role" {
  description = "The role by which it may publish to topics; null if it may not."
  value       = try(google_project_iam_custom_role.role["${var.suite.project_id}/topics"].id, null)
}

output "permissions" {
  description = "The permissions that it was granted, by project and what in it they are granted on."
  value = merge(
    { for key, role in local.roles : key => role.permissions },
    { for place, permissions in local.by_target : place => permissions if place == "billing_accounts" && length(var.scope.billing_accounts) > 0 },
  )
}
