//! An extendible hash of small copy-on-write tables.
