"""The log and the limiter in DynamoDB (docs/adr/0012)."""

from relay.adapters.dynamodb.client import connect
from relay.adapters.dynamodb.limiter import DynamoLimiter
from relay.adapters.dynamodb.log import DynamoLog
from relay.adapters.dynamodb.tables import EXPIRES_AT, limiter_table, log_table
from relay.adapters.dynamodb.texts import Texts

__all__ = ["EXPIRES_AT", "DynamoLimiter", "DynamoLog", "Texts", "connect", "limiter_table", "log_table"]
