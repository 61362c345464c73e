"""The relay's rules: what each request does, pure over the ports. Errors of the protocol are raised."""
