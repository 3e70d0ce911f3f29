variable "project_id" {
  description = "The project of the policy."
  type        = string
}

variable "name" {
  description = "The name of the policy."
  type        = string
}

variable "blocked_regions" {
  description = "Regions that nothing is to come from, as codes of two letters (ISO 3166-1)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for code in var.blocked_regions : can(regex("^[A-Z]{2}$", code))])
    error_message = "blocked_regions: each is a code of two capital letters, such as AQ."
  }
}

variable "exempt_ranges" {
  description = "At most ten address ranges that no other rule applies to."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.exempt_ranges) <= 10 && alltrue([for range in var.exempt_ranges : can(cidrhost(range, 0))])
    error_message = "exempt_ranges: at most ten, each like 192.0.2.0/24."
  }
}

variable "waf" {
  description = "The preconfigured rule sets, their sensitivity (1 catches least, 4 most), and whether they only log what they would deny."
  type = object({
    preview     = optional(bool, true)
    sensitivity = optional(number, 1)
    rule_sets = optional(list(string), [
      "sqli-v33-stable",
      "xss-v33-stable",
      "lfi-v33-stable",
      "rfi-v33-stable",
      "rce-v33-stable",
      "scannerdetection-v33-stable",
      "protocolattack-v33-stable",
      "sessionfixation-v33-stable",
    ])
  })
  default = {}

  validation {
    condition     = contains([1, 2, 3, 4], var.waf.sensitivity)
    error_message = "waf: sensitivity is 1, 2, 3 or 4."
  }

  validation {
    condition     = length(var.waf.rule_sets) <= 100 && alltrue([for rule_set in var.waf.rule_sets : can(regex("^[a-z0-9-]+$", rule_set))])
    error_message = "waf: rule_sets are names such as sqli-v33-stable."
  }
}

variable "rate" {
  description = "How many requests one address may make in an interval; from `ban_at_times` as many on it is banned for `ban_seconds`."
  type = object({
    requests         = optional(number, 300)
    interval_seconds = optional(number, 60)
    ban_at_times     = optional(number, 5)
    ban_seconds      = optional(number, 600)
  })
  default = {}

  validation {
    condition     = var.rate.requests >= 1 && var.rate.ban_at_times >= 1 && var.rate.ban_seconds >= 1
    error_message = "rate: requests, ban_at_times and ban_seconds are at least 1."
  }

  validation {
    condition     = contains([10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600], var.rate.interval_seconds)
    error_message = "rate: interval_seconds is one that Cloud Armor has: 10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700 or 3600."
  }
}
