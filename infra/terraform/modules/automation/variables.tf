variable "name" {
  description = "The automation's name: its folder in functions/, and its key in automations.yaml."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z_]{2,19}$", var.name))
    error_message = "name: lower case letters and underscores, at most 20, as accounts and subscriptions are named after it."
  }
}

variable "entry" {
  description = "Its entry in automations.yaml. With `trigger: http` it takes requests from outside, and is public. The secrets that it mounts must be there."
  type = object({
    trigger            = string
    summary            = string
    memory             = string
    time_limit_seconds = number
    max_instances      = number
    concurrency        = number
    permissions        = list(string)
    environment        = optional(map(string), {})
    secrets            = optional(list(object({ secret = string, file = string })), [])
    filters            = optional(map(string), {})
    may_trigger        = optional(list(string), [])
    tick               = optional(object({ schedule = string, time_zone = string, every_seconds = number }))
    retry              = optional(object({ minimum_backoff_seconds = number, maximum_backoff_seconds = number }))
    dead_letter_after  = optional(number)
  })

  validation {
    condition     = contains(["pubsub", "http"], var.entry.trigger)
    error_message = "entry: trigger is pubsub or http."
  }

  validation {
    condition     = var.entry.trigger == "http" || (var.entry.retry != null && var.entry.dead_letter_after != null)
    error_message = "entry: what Pub/Sub triggers has retry and dead_letter_after."
  }

  validation {
    condition     = var.entry.time_limit_seconds <= 570
    error_message = "entry: time_limit_seconds is at most 570, as Pub/Sub waits for an answer for 600 seconds at most."
  }
}

variable "suite" {
  description = "What all functions of the suite share: where they run, and as whom they are built and called."
  type = object({
    project_id     = string
    project_number = string
    region         = string
    runtime        = optional(string, "python313")
    bucket         = string
    repository     = string
    build_account  = string
    push_account   = string
    database       = string
    organization   = optional(string, "")
    labels         = optional(map(string), {})
  })
}

variable "bundle" {
  description = "The bundle's file on this machine. Its name carries its content's hash, so a changed function is another object."
  type        = string

  validation {
    condition     = can(regex("-[0-9a-f]{16}\\.zip$", var.bundle))
    error_message = "bundle: a file as ./deploy.sh bundle names it, such as cap_spending-0123456789abcdef.zip."
  }
}

variable "settings" {
  description = "The automation's own settings: `mode` and its section of caretaker.yaml, as JSON."
  type        = string
}

variable "topics" {
  description = "Topics besides the inbox that are pushed to it: full names, by what their subscriptions are named after."
  type        = map(string)
  default     = {}
}

variable "publishes_to" {
  description = "Topics that it may publish to: full names by id."
  type        = map(string)
  default     = {}
}

variable "grant_targets" {
  description = "permissions.yaml: by permission or by service, on what a permission is granted."
  type        = map(object({ api = string, granted_on = string, predefined = optional(string, "") }))
}

variable "scope" {
  description = "The permissions that the automation's section needs (by default all that the map lists) and the resources it names. Permissions are granted on these and on nothing else: projects with those that are granted there; secrets, of which it may change its own and only read the others. Secrets and repositories are full names; buckets have their project."
  type = object({
    permissions      = optional(set(string))
    projects         = optional(map(set(string)), {})
    secrets          = optional(set(string), [])
    own_secrets      = optional(set(string), [])
    buckets          = optional(map(string), {})
    repositories     = optional(set(string), [])
    accounts         = optional(set(string), [])
    billing_accounts = optional(set(string), [])
  })
  default  = {}
  nullable = false
}
