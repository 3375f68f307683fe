"""The HTTP gateway: agents tell about their runs by plain HTTP (docs/http.md)."""
