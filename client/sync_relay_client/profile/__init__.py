"""The durable state of one device in one vault: a folder that its owner alone can read."""
