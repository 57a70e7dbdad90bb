"""What the programs run on: ports for the queue, the tokens and the warehouse, each with its adapters."""
