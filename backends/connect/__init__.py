"""How an athlete is connected: what service and command line share."""
