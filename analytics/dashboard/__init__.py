"""The dashboard: pages for people who would rather look than read. `app` says how to add one."""
