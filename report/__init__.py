"""The report: one page that says where the money goes, what is held, what needs a person and what happened."""
