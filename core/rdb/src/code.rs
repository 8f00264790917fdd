//! What the first byte of a record stands for: a type of value, or something else between values.
//! The codes of types are below all others.

pub(crate) const STRING: u8 = 0;
/// Redis before 4.0.
pub(crate) const MODULE_EARLY: u8 = 6;
pub(crate) const MODULE: u8 = 7;
/// Redis 5.0 to 6.2.
pub(crate) const STREAM_1: u8 = 15;
/// Redis 7.0: counters of entries, read and added.
pub(crate) const STREAM_2: u8 = 19;
/// Redis 7.2 to 8.4: when a consumer was active.
pub(crate) const STREAM_3: u8 = 21;
/// Redis 8.6: idempotence.
pub(crate) const STREAM_4: u8 = 26;
/// Redis 8.8: entries given back.
pub(crate) const STREAM_5: u8 = 27;
/// Redis 8.8.
pub(crate) const ARRAY: u8 = 28;

pub(crate) const MODULE_KEY_METADATA: u8 = 243;
pub(crate) const SLOT: u8 = 244;
pub(crate) const FUNCTION: u8 = 245;
pub(crate) const FUNCTION_EARLY: u8 = 246;
pub(crate) const MODULE_AUXILIARY: u8 = 247;
pub(crate) const IDLE: u8 = 248;
pub(crate) const FREQUENCY: u8 = 249;
pub(crate) const AUXILIARY: u8 = 250;
pub(crate) const RESIZE: u8 = 251;
pub(crate) const EXPIRES_AT_MS: u8 = 252;
pub(crate) const EXPIRES_AT_S: u8 = 253;
pub(crate) const DATABASE: u8 = 254;
pub(crate) const END: u8 = 255;

/// What a code stands for, for messages about one that is not read.
pub(crate) fn name_of(code: u8) -> &'static str {
    match code {
        MODULE_EARLY | MODULE => "module value",
        ARRAY => "array",
        MODULE_KEY_METADATA => "key metadata of a module",
        FUNCTION_EARLY => "functions of a release candidate of Redis 7.0",
        _ => "unknown",
    }
}
