//! The bound on what the interpreter takes, and where it need not hold.
//!
//! Under a bound, every value that is made from outside may fail to be made. So it is made in a
//! protected call of its own, which costs several times as much as the value. Where what is made
//! certainly fits, the bound is lifted while it is made.

use mlua::Lua;

use crate::limits::MEMORY_BYTES_MAX;

/// What a value takes beside its bytes, at most: the value itself, its place in a table that grows
/// (where the old places and the new ones are there at once), and the head of a string.
pub(crate) const VALUE_BYTES: usize = 128;

/// What a text that describes values takes as values, per byte of it. The worst are a status
/// (`+\r\n`), which is a table with a field, and an empty array of JSON (`[],`).
pub(crate) const BYTES_PER_BYTE: usize = 64;

/// Makes values that take at most this many bytes. The bound holds for them as for others, but is
/// looked at once.
pub(crate) fn reserved<R>(lua: &Lua, bytes: usize, make: impl FnOnce() -> R) -> R {
    let _bound = match lua.used_memory().saturating_add(bytes) <= MEMORY_BYTES_MAX {
        true => Lifted::new(lua),
        false => None,
    };
    make()
}

/// The bound does not hold while this lives.
struct Lifted<'l>(&'l Lua);

impl Lifted<'_> {
    fn new(lua: &Lua) -> Option<Lifted<'_>> {
        lua.set_memory_limit(0).is_ok().then(|| Lifted(lua))
    }
}

impl Drop for Lifted<'_> {
    fn drop(&mut self) {
        // It fails only for an interpreter that somebody else has made.
        let _ = self.0.set_memory_limit(MEMORY_BYTES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_behind_what_was_reserved_and_for_what_does_not_fit() -> mlua::Result<()> {
        let lua = Lua::new();
        lua.set_memory_limit(MEMORY_BYTES_MAX)?;
        let fits = reserved(&lua, 1 << 20, || lua.create_string(vec![0; 1 << 20]));
        assert!(fits.is_ok());
        let too_long = vec![0; MEMORY_BYTES_MAX];
        assert!(lua.create_string(&too_long).is_err());
        let refused = reserved(&lua, too_long.len(), || lua.create_string(&too_long));
        assert!(refused.is_err());
        Ok(())
    }

    #[test]
    fn the_bound_holds_again_after_a_panic() -> mlua::Result<()> {
        let lua = Lua::new();
        lua.set_memory_limit(MEMORY_BYTES_MAX)?;
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            reserved(&lua, 1, || panic!("planted"));
        }));
        assert!(panicked.is_err());
        assert_eq!(lua.set_memory_limit(0)?, MEMORY_BYTES_MAX);
        Ok(())
    }
}
