//! What is wrong with a command on a hash or on its fields.

use thiserror::Error;

/// Why a command on a hash is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HashError {
    /// `NOVALUES` of another scan than that of a hash.
    #[error("ERR NOVALUES option can only be used in HSCAN")]
    NoValuesOfHashOnly,
    /// `HSETEX` with both conditions, or with one of them twice.
    #[error("ERR Only one of FXX or FNX arguments can be specified")]
    OneFieldCondition,
    /// `FIELDS` is not where it must be.
    #[error("ERR Mandatory argument FIELDS is missing or not at the right position")]
    FieldsPlace,
    /// The number behind `FIELDS` is none, or not positive.
    #[error("ERR Number of fields must be a positive integer")]
    FieldsNumber,
    /// Not as many fields follow as the number says.
    #[error("ERR The `numfields` parameter must match the number of arguments")]
    FieldsMismatch,
    /// `FIELDS` of `HEXPIRE` and its like comes twice.
    #[error("ERR FIELDS keyword specified multiple times")]
    FieldsTwice,
    /// `HEXPIRE` and its like without fields.
    #[error("ERR missing FIELDS argument")]
    FieldsMissing,
    /// `FIELDS` at the end of `HEXPIRE` and its like.
    #[error("ERR FIELDS requires at least numfields and one field argument")]
    FieldsEmpty,
    /// The number behind `FIELDS` of `HEXPIRE` and its like is none, or not positive.
    #[error("ERR Parameter `numFields` should be greater than 0")]
    FieldsNotPositive,
    /// The same for `HGETEX` and `HSETEX`.
    #[error("ERR invalid number of fields")]
    FieldsInvalid,
    /// Fewer fields follow than the number says.
    #[error("ERR wrong number of arguments")]
    FieldsShort,
    /// `HINCRBY` of a field without an integer.
    #[error("ERR hash value is not an integer")]
    FieldNotAnInteger,
    /// `HINCRBYFLOAT` of a field without a number.
    #[error("ERR hash value is not a float")]
    FieldNotAFloat,
}
