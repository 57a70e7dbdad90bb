"""The queue on Google Cloud Pub/Sub: publishing, and who a push comes from."""
