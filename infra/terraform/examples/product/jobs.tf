locals {
  # What the two jobs are given, if their images are named.
  jobs = {
    back_up = var.backup_images == null ? null : {
      image = var.backup_images.back_up
      environment_variables = {
        BACKUP_BUCKET = "${var.project_id}-${var.name}-backups"
        PGHOST        = module.database.host
        PGDATABASE    = module.database.database
        PGUSER        = module.database.users.backup
        PGSSLMODE     = "require"
      }
      secrets = { PGPASSWORD = module.database.backup_password }
    }
    prove = var.backup_images == null ? null : {
      image                 = var.backup_images.prove
      environment_variables = { BACKUP_BUCKET = "${var.project_id}-${var.name}-backups" }
    }
  }
}
