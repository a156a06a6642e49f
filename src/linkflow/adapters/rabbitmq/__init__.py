"""RabbitMQ: carries tasks to workers, and the starts of one event to every process."""
