"""Eyes: each looks at one thing, sets the facts it finds, and judges nothing."""
