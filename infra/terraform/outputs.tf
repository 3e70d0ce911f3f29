output "inboxes" {
  description = "Each automation's inbox. Who may publish there may command."
  value       = { for name, automation in module.automation : name => automation.inbox if automation.inbox != null }
}

output "webhooks" {
  description = "The addresses to enter at GitHub."
  value       = { for name, automation in module.automation : name => automation.uri if automation.inbox == null }
}

output "accounts" {
  description = "As which account each function runs."
  value       = { for name, automation in module.automation : name => automation.account }
}

output "budgets" {
  description = "The ids of the budgets that were created, by their keys."
  value       = module.budget.ids
}

output "report" {
  description = "The address of the report behind Identity-Aware Proxy, if there is one."
  value       = one(module.report[*].uri)
}

output "next_steps" {
  description = "What remains for a person to do."
  value       = [for export in module.billing_export : export.next_step]
}

output "settings" {
  description = "What each function is given: its own section, and what the deployment puts in. No secret is in it."
  value       = local.settings
}

output "permissions" {
  description = "What each automation was granted, by project and what in it that is granted on."
  value       = { for name, automation in module.automation : name => automation.permissions }
}

output "subscriptions" {
  description = "Each automation's push subscriptions, by topic."
  value       = { for name, automation in module.automation : name => automation.subscriptions }
}
