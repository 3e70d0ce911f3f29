variable "project_id" {
  description = "The project of the load balancer and of the service behind it."
  type        = string
}

variable "name" {
  description = "What the parts of the load balancer are called by."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "name: 2 to 40 lower-case letters, digits and hyphens."
  }
}

variable "service" {
  description = "The name of the Cloud Run service, the same in every region."
  type        = string
}

variable "regions" {
  description = "The regions that the service runs in."
  type        = set(string)

  validation {
    condition     = length(var.regions) > 0
    error_message = "regions: at least one."
  }
}

variable "domains" {
  description = "The domains of the certificate; their A and AAAA records must lead here before it is issued."
  type        = list(string)

  validation {
    condition     = length(var.domains) > 0 && length(var.domains) <= 100 && alltrue([for domain in var.domains : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}\\.?$", domain))])
    error_message = "domains: 1 to 100 names such as api.example.com, without wildcards."
  }
}

variable "security_policy" {
  description = "The Cloud Armor policy in front of the service; the module `armor` outputs one."
  type        = string
  default     = null
}

variable "cdn" {
  description = "The paths that are the same for everyone and may be cached, for how long, and the query parameters that tell files apart."
  type = object({
    paths               = optional(list(string), ["/static/*", "/assets/*", "/favicon.ico"])
    query_parameters    = optional(list(string), ["v"])
    default_ttl_seconds = optional(number, 3600)
    max_ttl_seconds     = optional(number, 86400)
  })
  default = {}

  validation {
    condition     = length(var.cdn.paths) > 0 && alltrue([for path in var.cdn.paths : startswith(path, "/")])
    error_message = "cdn: paths are like /static/*, and there is at least one."
  }

  validation {
    condition     = var.cdn.default_ttl_seconds <= var.cdn.max_ttl_seconds && var.cdn.max_ttl_seconds <= 31622400
    error_message = "cdn: default_ttl_seconds <= max_ttl_seconds <= 31622400 (a year)."
  }
}

variable "failover" {
  description = "After how many errors in a row a region is left out, and for how long at first."
  type = object({
    consecutive_errors = optional(number, 5)
    ejection_seconds   = optional(number, 30)
  })
  default = {}
}

variable "log_sample_rate" {
  description = "The part of requests that is logged, 0 to 1."
  type        = number
  default     = 1

  validation {
    condition     = var.log_sample_rate >= 0 && var.log_sample_rate <= 1
    error_message = "log_sample_rate: 0 to 1."
  }
}
