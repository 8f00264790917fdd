//! Keyspace, command table, transactions, blocking, effects.
