"""Adobe After Effects: a script that starts each job from a folder (`vidrestore.integrations.job_folder`)."""
