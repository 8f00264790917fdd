//! The stream value: entries, groups, pending entries, idempotence.
