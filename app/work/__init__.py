"""The queue of jobs, and what runs again and again."""
