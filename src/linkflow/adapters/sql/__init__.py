"""PostgreSQL behind the stores' ports: rows, transactions, migrations. A row never leaves this folder."""
