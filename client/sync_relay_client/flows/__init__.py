"""What a device does, as flows over its profile: each step a transaction, each wait an action, a crash anywhere safe."""
