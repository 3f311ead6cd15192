"""ReturnGO as the sandbox plays it: its REST API and its webhooks."""
