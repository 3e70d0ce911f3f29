variable "project_id" {
  description = "The project of the suite."
  type        = string
}

variable "project_number" {
  description = "Its number: IAP's agent and the audience of its assertions bear it."
  type        = string
}

variable "region" {
  description = "Where the service runs."
  type        = string
}

variable "database" {
  description = "The suite's database, which the service may read."
  type        = string
}

variable "settings" {
  description = "The owner's settings, as JSON: without secrets, as each function is given them."
  type        = string
}

variable "image" {
  description = "The image built from report/service/Dockerfile."
  type        = string
}

variable "viewers" {
  description = "Who may sign in: `user:`, `group:`, `domain:` or `serviceAccount:` and a name."
  type        = set(string)

  validation {
    condition     = length(var.viewers) > 0 && alltrue([for one in var.viewers : can(regex("^(user|group|domain|serviceAccount):[^\\s:]+$", one))])
    error_message = "viewers: at least one, such as group:team@example.com. All of the internet cannot be one."
  }
}

variable "time_zone" {
  description = "The time zone of the page, such as Europe/Berlin."
  type        = string
  default     = "Etc/UTC"
}

variable "labels" {
  description = "Labels of what is made here."
  type        = map(string)
  default     = {}
}
