variable "project_id" {
  description = "The project that the suite runs in."
  type        = string
}

variable "project_number" {
  description = "The number of that project: as an account of it Monitoring publishes to topics."
  type        = string
}

variable "automations" {
  description = "What is watched: by automation its push subscriptions and the one that keeps dead letters, by name, and the period of its tick in seconds (0 without one)."
  type = map(object({
    subscriptions = optional(set(string), [])
    dead_letters  = optional(string)
    every_seconds = optional(number, 0)
  }))

  validation {
    # https://cloud.google.com/monitoring/alerts/metric-absence
    condition     = alltrue([for automation in var.automations : automation.every_seconds <= 43200])
    error_message = "automations: every_seconds is at most 43200, twice a day, as Monitoring notices no silence of more than 23 hours and 30 minutes: each day of a daily tick would be one."
  }
}

variable "alerts" {
  description = "The recipients of alerts: addresses, ids of Slack notification channels (made in the console, as they hold a token), and full names of topics."
  type = object({
    emails = optional(set(string), [])
    slack  = optional(set(string), [])
    topics = optional(set(string), [])
  })
  default = {}

  validation {
    condition     = alltrue([for email in var.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "alerts: emails are addresses such as oncall@example.com."
  }

  validation {
    condition     = alltrue([for channel in var.alerts.slack : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", channel))])
    error_message = "alerts: slack has ids such as projects/my-caretaker/notificationChannels/123, from Monitoring > Alerting > Edit notification channels."
  }

  validation {
    condition     = alltrue([for topic in var.alerts.topics : can(regex("^projects/[^/]+/topics/[^/]+$", topic))])
    error_message = "alerts: topics are full names such as projects/my-product/topics/alerts."
  }
}

variable "oldest_message_seconds" {
  description = "How old the oldest message that nothing has acknowledged may become."
  type        = number
  default     = 3600
}

variable "labels" {
  description = "Labels of what is made here."
  type        = map(string)
  default     = {}
}
