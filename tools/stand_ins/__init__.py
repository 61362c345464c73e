"""What stands for AWS on this machine: an emulator of DynamoDB, and a small S3 that holds clients to its rules."""
