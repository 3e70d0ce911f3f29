variable "project_id" {
  description = "The project of the product."
  type        = string
}

variable "service" {
  description = "The name of the Cloud Run service."
  type        = string
}

variable "objectives" {
  description = "The objectives: the part of minutes in which the product is reachable, the latency that 95 % of requests keep to, and the part of requests that may fail, each with alerts; and on the dashboard alone what a month may cost (in the budgets' currency), how long a deployment and a recovery may take."
  type = object({
    availability       = optional(number, 0.999)
    p95_milliseconds   = optional(number, 200)
    error_ratio        = optional(number, 0.001)
    monthly_cost       = optional(number, 100)
    deployment_seconds = optional(number, 300)
    recovery_seconds   = optional(number, 900)
  })
  default = {}

  validation {
    condition     = var.objectives.monthly_cost > 0 && var.objectives.deployment_seconds > 0 && var.objectives.recovery_seconds > 0
    error_message = "objectives: monthly_cost, deployment_seconds and recovery_seconds are more than 0."
  }

  validation {
    condition     = var.objectives.availability > 0 && var.objectives.availability < 1 && var.objectives.error_ratio > 0 && var.objectives.error_ratio < 1 && var.objectives.p95_milliseconds > 0
    error_message = "objectives: availability and error_ratio are between 0 and 1, and p95_milliseconds more than 0."
  }
}

variable "error_ratio_alert" {
  description = "The part of requests that may fail for five minutes before that alone is an alert, under any objective."
  type        = number
  default     = 0.01

  validation {
    condition     = var.error_ratio_alert > 0 && var.error_ratio_alert < 1
    error_message = "error_ratio_alert: between 0 and 1, such as 0.01."
  }
}

variable "uptime" {
  description = "What is asked from outside, over HTTPS: the host, the path, and the regions that ask."
  type = object({
    host    = string
    path    = optional(string, "/health")
    regions = optional(list(string), ["EUROPE", "USA", "ASIA_PACIFIC"])
  })

  validation {
    condition     = length(var.uptime.regions) >= 2 && alltrue([for region in var.uptime.regions : contains(["USA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "USA_OREGON", "USA_IOWA", "USA_VIRGINIA"], region)])
    error_message = "uptime: at least two of USA, EUROPE, SOUTH_AMERICA, ASIA_PACIFIC, USA_OREGON, USA_IOWA and USA_VIRGINIA."
  }
}

variable "notification_channels" {
  description = "The recipients of alerts: names of notification channels."
  type        = list(string)
  default     = []
}

variable "workers" {
  description = "The cluster and namespace of the workers, whose memory is shown. None without."
  type        = object({ cluster = string, namespace = optional(string, "workers") })
  default     = null
}

variable "subscriptions" {
  description = "The ids of the subscriptions whose queues are shown."
  type        = set(string)
  default     = []
}

variable "money" {
  description = "What of money to show, by title: a query in PromQL. By default what each budget has cost so far, and what was saved in a day, of which Caretaker's own observability makes metrics."
  type        = map(string)
  nullable    = false
  default = {
    # What Caretaker's own observability makes of its reports, where its project is in this one's metrics scope.
    cost    = "sum by (budget, currency) (increase({\"logging.googleapis.com/user/caretaker/cost_sum\", monitored_resource=\"cloud_run_revision\"}[1h])) / sum by (budget, currency) (increase({\"logging.googleapis.com/user/caretaker/cost_count\", monitored_resource=\"cloud_run_revision\"}[1h]))"
    savings = "sum by (automation, currency) (increase({\"logging.googleapis.com/user/caretaker/savings_sum\", monitored_resource=\"cloud_run_revision\"}[1d]))"
  }
}

variable "log_location" {
  description = "Where logs are kept; it cannot be changed later."
  type        = string
  default     = "global"
}

variable "log_classes" {
  description = "The classes of logs: what belongs to each, and for how many days it is kept. An entry that two filters match is stored, and paid, twice."
  type = map(object({
    description    = string
    filter         = string
    retention_days = number
  }))
  default = {
    product-security = {
      description    = "Who read what, and what was forbidden"
      filter         = "log_id(\"cloudaudit.googleapis.com/data_access\") OR log_id(\"cloudaudit.googleapis.com/policy\")"
      retention_days = 400
    }
    product-application = {
      description    = "What the product says"
      filter         = "((log_id(\"run.googleapis.com/stdout\") OR log_id(\"run.googleapis.com/stderr\")) AND NOT resource.labels.service_name=~\"^caretaker-\") OR (resource.type = \"k8s_container\" AND (log_id(\"stdout\") OR log_id(\"stderr\")))"
      retention_days = 30
    }
    product-requests = {
      description    = "One line for each request"
      filter         = "(log_id(\"run.googleapis.com/requests\") AND NOT resource.labels.service_name=~\"^caretaker-\") OR log_id(\"requests\")"
      retention_days = 14
    }
  }

  validation {
    condition     = alltrue([for class in var.log_classes : class.retention_days >= 1 && class.retention_days <= 3650])
    error_message = "log_classes: retention_days is 1 to 3650."
  }
}

variable "trace_ratio" {
  description = "The part of requests that is traced."
  type        = number
  default     = 0.1

  validation {
    condition     = var.trace_ratio >= 0 && var.trace_ratio <= 1
    error_message = "trace_ratio: 0 to 1."
  }
}
