variable "project_id" {
  description = "The project of the product; its APIs are on and its billing is linked."
  type        = string
}

variable "name" {
  description = "What everything is called by."
  type        = string
  default     = "product"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.name))
    error_message = "name: 2 to 12 lower-case letters, digits and hyphens."
  }
}

variable "environment" {
  description = "In production an instance stays warm, and what holds data is protected from deletion."
  type        = string
  default     = "development"
}

variable "region" {
  description = "Where the database, the workers and the first copy of the service are."
  type        = string
  default     = "europe-west1"
}

variable "more_regions" {
  description = "Further regions of the service; without domains nothing sends anyone there."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.more_regions) == 0 || length(var.domains) > 0
    error_message = "more_regions: needs domains, as only the load balancer reaches several regions."
  }
}

variable "copies_region" {
  description = "Where copies of backups are kept: another region."
  type        = string
  default     = "europe-north1"
}

variable "image" {
  description = "The image of the first revision; later ones are continuous integration's to deploy."
  type        = string
}

variable "domains" {
  description = "The domains of the product. With them comes the load balancer, with CDN and Cloud Armor; without, the service has its run.app address."
  type        = list(string)
  default     = []
}

variable "blocked_regions" {
  description = "Regions that nothing is to come from, as codes of two letters."
  type        = set(string)
  default     = []
}

variable "scaling" {
  description = "Instances in each region at most, and requests that one of them answers at a time: so many connections to the database."
  type = object({
    max_instances = optional(number, 2)
    concurrency   = optional(number, 15)
  })
  default = {}
}

variable "database" {
  description = "The machine of the database, whether there is a standby in a second zone, where Cloud SQL's own backups are, and a replica in another region."
  type = object({
    tier             = optional(string, "db-g1-small")
    highly_available = optional(bool, false)
    backup_location  = optional(string)
    replica          = optional(object({ region = string, tier = optional(string), promoted = optional(bool) }))
  })
  default = {}
}

variable "workers" {
  description = "The workers' cluster: its location, its pools (see the module), and how many pods of them there may be. None without."
  type = object({
    location = string
    max_pods = optional(number, 4)
    spot     = optional(object({ min_nodes = optional(number), max_nodes = optional(number), machine_type = optional(string) }), {})
    fallback = optional(object({ min_nodes = optional(number), max_nodes = optional(number), machine_type = optional(string) }), {})
    gpu = optional(object({
      zones        = optional(set(string))
      max_nodes    = optional(number)
      machine_type = optional(string)
      accelerator  = optional(string)
    }))
  })
  default = null
}

variable "temporal" {
  description = "The Temporal workers: their image, where Temporal is (HOST:PORT), and by name each with its task queue (see the module `manifests`). One worker and no GPU worker by default."
  type = object({
    image                 = string
    address               = string
    namespace             = optional(string)
    environment_variables = optional(map(string))
    workers = optional(map(object({
      task_queue = string
      replicas   = optional(number)
      gpus       = optional(number)
      cpu        = optional(string)
      memory     = optional(string)
      max_cpu    = optional(string)
      max_memory = optional(string)
    })))
  })
  default = null
}

variable "rotation_topic" {
  description = "The topic of Caretaker that Secret Manager announces rotations by. None without."
  type        = string
  default     = null
}

variable "backup_images" {
  description = "The images of the two backup jobs, built from Caretaker's `jobs/`. No jobs without."
  type        = object({ back_up = string, prove = string })
  default     = null
}

variable "emails" {
  description = "The recipients of alerts."
  type        = set(string)
  default     = []
}

variable "subscriptions" {
  description = "Subscriptions whose queues the dashboard shows."
  type        = set(string)
  default     = []
}

variable "money" {
  description = "What of money the dashboard shows, by title: a query in PromQL. Without it what the module `observability` shows by itself: cost and savings."
  type        = map(string)
  default     = null
}

variable "github_repositories" {
  description = "The GitHub repositories with previews, by name: the number of each. No previews without."
  type        = map(number)
  default     = {}
}

variable "preview_deployer" {
  description = "The account of manage_previews: `serviceAccount:` and its email."
  type        = string
  default     = null
}
