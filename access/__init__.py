"""Who may do what: projects, their API keys, and what a credential allows."""
