"""What a device does, as flows over its profile: a step is a transaction, a wait an action."""
