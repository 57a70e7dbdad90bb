"""`athlete subscription`: create, show and delete the app's push subscription."""
