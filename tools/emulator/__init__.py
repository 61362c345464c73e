"""Runs what `sam build` made under the Lambda runtime's own emulator, behind the embedded server's HTTP door."""
