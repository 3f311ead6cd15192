"""Where and as whom Faust connects: schemas.kafka in Faust's words. Reads secrets and certificates."""

from typing import Any

import faust

from schemas import header_names
from schemas.kafka import Brokers, aiokafka, cluster_of


def connection(brokers: Brokers) -> dict[str, Any]:
    """Arguments of faust.App; raises CannotStart."""
    header_names.escaped()
    cluster, told = cluster_of(brokers), aiokafka(brokers)
    found: dict[str, Any] = {"broker": [f"kafka://{address}" for address in cluster.bootstrap.split(",")]}
    if "sasl_oauth_token_provider" in told:
        found["broker_credentials"] = faust.OAuthCredentials(
            oauth_cb=told["sasl_oauth_token_provider"], ssl_context=told["ssl_context"]
        )
    elif cluster.sasl:
        found["broker_credentials"] = faust.SASLCredentials(
            username=told["sasl_plain_username"], password=told["sasl_plain_password"], mechanism=cluster.mechanism,
            ssl_context=told["ssl_context"],
        )  # fmt: skip
    elif cluster.tls:
        found["broker_credentials"] = faust.SSLCredentials(told["ssl_context"])
    return found
