//! Scenario runners, differential runs, crash audits, real clients.
