"""The relay on DynamoDB and S3 does what the plain model does, whatever is drawn."""

from tests.figures import Report
from tests.model.run import run
from tests.model.stores import AwsStores


def test_a_relay_on_aws_does_what_the_model_does(dynamodb_url: str, s3_url: str, report: Report) -> None:
    run(lambda now_ms: AwsStores(dynamodb_url, s3_url, now_ms), 5, 3, report)
