"""The relay on DynamoDB and S3 does what the plain model does, whatever is drawn."""

from tests.contract.aws_world import dynamodb_served, s3_served
from tests.figures import Report
from tests.model.run import run
from tests.model.stores import AwsStores


def test_a_relay_on_aws_does_what_the_model_does(report: Report) -> None:
    with dynamodb_served() as dynamodb_url, s3_served() as s3_url:
        run(lambda now_ms: AwsStores(dynamodb_url, s3_url, now_ms), 5, 3, report)
