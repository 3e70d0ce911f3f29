variable "project_id" {
  description = "The project of the secret: that of what uses it."
  type        = string
}

variable "secret_id" {
  description = "Its id there."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.secret_id))
    error_message = "secret_id: letters, digits, underscores and hyphens, at most 255."
  }
}

variable "every_days" {
  description = "How old its value may become."
  type        = number

  validation {
    condition     = var.every_days >= 1 && var.every_days <= 3650 && var.every_days == floor(var.every_days)
    error_message = "every_days: whole days, from 1 to 3650."
  }
}

variable "topic" {
  description = "The full name of the topic that is notified when a rotation is due. Secret Manager's agent of the secret's project must be its publisher before."
  type        = string

  validation {
    condition     = can(regex("^projects/[^/]+/topics/[^/]+$", var.topic))
    error_message = "topic: a full name such as projects/my-caretaker/topics/caretaker-secret-notifications."
  }
}

variable "locations" {
  description = "The regions that keep its values; Google chooses, if none are said."
  type        = set(string)
  default     = []
}

variable "labels" {
  description = "Labels of what is made here."
  type        = map(string)
  default     = {}
}
