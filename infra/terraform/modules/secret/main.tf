# A secret that rotate_secrets rotates, with Secret Manager's own schedule: it tells the topic when it is time. The values are
# rotate_secrets' own, and never here.
# https://cloud.google.com/secret-manager/docs/secret-rotation
resource "google_secret_manager_secret" "rotated" {
  project             = var.project_id
  secret_id           = var.secret_id
  labels              = var.labels
  version_destroy_ttl = "2592000s" # a version that a person destroys can be had back for 30 days
  deletion_policy     = "ABANDON"  # something uses it: no destroy takes its values away

  replication {
    dynamic "auto" {
      for_each = length(var.locations) == 0 ? [true] : []
      content {}
    }

    dynamic "user_managed" {
      for_each = length(var.locations) > 0 ? [true] : []

      content {
        dynamic "replicas" {
          for_each = var.locations

          content {
            location = replicas.value
          }
        }
      }
    }
  }

  topics {
    name = var.topic
  }

  rotation {
    rotation_period    = "${var.every_days * 86400}s"
    next_rotation_time = timeadd(plantimestamp(), "${var.every_days * 24}h")
  }

  lifecycle {
    # rotate_secrets keeps its state in annotations and writes aliases for people; Secret Manager moves the next time on.
    ignore_changes = [annotations, version_aliases, rotation[0].next_rotation_time]
  }
}
