"""The Faust shell: serves any pure decision function over Kafka topics and one table. It knows nothing of returns."""
