"""One Lambda function per endpoint group, and the scheduled one."""
