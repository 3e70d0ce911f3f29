output "topic" {
  description = "The full name of the topic of notifications."
  value       = google_pubsub_topic.notifications.id
}

output "topic_id" {
  description = "The id of the topic, known before it is made."
  value       = var.topic
}

output "ids" {
  description = "The ids of the budgets that were created, by their keys."
  value       = { for key, budget in google_billing_budget.budget : key => element(split("/", budget.name), 3) }
}
