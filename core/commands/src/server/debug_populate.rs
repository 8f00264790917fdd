//! `DEBUG POPULATE`: many keys at once.

use engine::args::parse_i64;
use engine::command::Ctx;
use engine::error::CmdError;
use engine::limits::{POPULATED_BYTES_MAX, POPULATED_KEYS_MAX};
use engine::store::effect::{Effect, Expiry, StringChange, event};
use resp::Argv;

/// What a key takes at least, for the bound on all of them.
const KEY_BYTES: u64 = 64;

/// Returns whether so many keys with values of that size are not too many.
fn is_bounded(count: u64, size: u64, prefix: u64) -> bool {
    let each = size.saturating_add(prefix).saturating_add(KEY_BYTES);
    count <= POPULATED_KEYS_MAX && count.saturating_mul(each) <= POPULATED_BYTES_MAX
}

/// `DEBUG POPULATE count [prefix [size]]`. Keys that exist stay as they are.
pub(super) fn populate(ctx: &mut Ctx<'_>, arguments: Argv<'_>) -> Result<(), CmdError> {
    let number = |index: usize| -> Result<Option<u64>, CmdError> {
        let Some(text) = arguments.get(index) else {
            return Ok(None);
        };
        let number = parse_i64(text).and_then(|number| u64::try_from(number).ok());
        number.map(Some).ok_or(CmdError::MustBePositive)
    };
    let count = number(0)?.unwrap_or(0);
    let prefix = arguments.get(1).unwrap_or(b"key");
    let size = number(2)?.unwrap_or(0);
    if !is_bounded(count, size, prefix.len() as u64) {
        return Err(CmdError::OutOfRange);
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    for index in 0..count {
        let digits = index.to_string();
        key.clear();
        key.extend_from_slice(prefix);
        key.push(b':');
        key.extend_from_slice(digits.as_bytes());
        if ctx.store.peek(&key).is_some() {
            continue;
        }
        value.clear();
        value.extend_from_slice(b"value:");
        value.extend_from_slice(digits.as_bytes());
        if size > 0 {
            value.resize(size as usize, 0);
        }
        let set = StringChange::Set {
            value: &value,
            expiry: Expiry::Never,
        };
        ctx.store.apply(&Effect::on(&key, set), event::UNNAMED);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_keys_are_made_and_how_large_is_bounded() {
        assert!(is_bounded(POPULATED_KEYS_MAX, 0, 3));
        assert!(!is_bounded(POPULATED_KEYS_MAX + 1, 0, 3));
        assert!(is_bounded(1, POPULATED_BYTES_MAX - KEY_BYTES - 3, 3));
        assert!(!is_bounded(1, POPULATED_BYTES_MAX - KEY_BYTES - 2, 3));
        assert!(!is_bounded(POPULATED_KEYS_MAX, 0, 1 << 20));
        assert!(!is_bounded(2, u64::MAX, 3));
    }
}
