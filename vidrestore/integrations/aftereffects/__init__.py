"""Adobe After Effects: a script that starts jobs in folders, `vidrestore.integrations.job_folder`."""
