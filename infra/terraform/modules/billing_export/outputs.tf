output "dataset" {
  description = "The dataset to choose in the console."
  value       = google_bigquery_dataset.export.id
}

output "views" {
  description = "The views that there are; none until Cloud Billing has made its table."
  value       = sort([for view in google_bigquery_table.view : view.table_id])
}

output "next_step" {
  description = "What remains for a person."
  value = (
    var.table_is_there
    ? "Nothing: the views are there."
    : "In the console: Billing > Billing export > BigQuery export > Standard usage cost: choose ${var.project_id}.${var.dataset}. A day later set billing_export.table_is_there, and apply again."
  )
}
