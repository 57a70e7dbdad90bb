"""Imports an athlete's own files: reads them in processes of their own, and stores and matches what they hold."""
