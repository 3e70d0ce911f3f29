output "policies" {
  description = "The names of the alert policies."
  value = sort(concat(
    [for policy in google_monitoring_alert_policy.matched : policy.display_name],
    [for policy in google_monitoring_alert_policy.dead_letters : policy.display_name],
    [for policy in google_monitoring_alert_policy.oldest_message : policy.display_name],
    [for policy in google_monitoring_alert_policy.silent : policy.display_name],
    [google_monitoring_alert_policy.failing.display_name],
  ))
}

output "metrics" {
  description = "The log-based metrics, as Cloud Monitoring calls them."
  value       = sort([for metric in merge(google_logging_metric.counter, google_logging_metric.amount) : metric.name])
}
