"""What the dashboard sees behind the scenes, and the changes it makes: broker, workers, dead letters, failures."""
