variable "project_id" {
  description = "The project that the suite runs in, and so the topic."
  type        = string
}

variable "topic" {
  description = "The id of the topic that notifications of every budget go to."
  type        = string
  default     = "caretaker-budget-notifications"
}

variable "budgets" {
  description = "The budgets to create, by a key of the owner's. `thresholds` are in parts of the amount; one `on` forecast needs Google's forecast to pass it. `projects` are numbers; without them a budget counts the whole billing account."
  type = map(object({
    billing_account = string
    amount          = number
    currency        = string
    display_name    = optional(string)
    projects        = optional(set(string), [])
    thresholds = list(object({
      at = number
      on = optional(string, "actual")
    }))
  }))
  default = {}

  validation {
    condition     = alltrue([for budget in var.budgets : can(regex("^[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}$", budget.billing_account))])
    error_message = "budgets: each billing_account is like 0A1B2C-3D4E5F-6A7B8C."
  }

  validation {
    condition     = alltrue(flatten([for budget in var.budgets : [for number in budget.projects : can(regex("^[0-9]+$", number))]]))
    error_message = "budgets: each of projects is a number such as 123456789012, not an id."
  }

  validation {
    condition     = alltrue([for budget in var.budgets : budget.amount > 0])
    error_message = "budgets: each amount is more than 0."
  }

  validation {
    condition     = alltrue([for budget in var.budgets : can(regex("^[0-9]+([.][0-9]{1,2})?$", tostring(budget.amount)))])
    error_message = "budgets: each amount is to the cent, such as 99.99."
  }

  validation {
    condition = alltrue(flatten([
      for budget in var.budgets : [for threshold in budget.thresholds : threshold.at > 0 && contains(["actual", "forecast"], threshold.on)]
    ]))
    error_message = "budgets: each threshold has an `at` of more than 0, and `on` is actual or forecast."
  }
}
