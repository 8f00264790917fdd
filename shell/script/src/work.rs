//! What functions do that are not made of instructions of Lua: it counts as such, so that others
//! are served in between, and what they make is bounded.

use std::cell::Cell;

use mlua::{Function, Lua};

use crate::failure::{Failure, fail};
use crate::limits::{MADE_BYTES_MAX, WORK_BYTES_PER_TICK};

/// Where the function is that gives a sign of life, which a hook calls too.
pub(crate) const TICK: &str = "tick";

/// What one call of a function has done since its last sign of life, in bytes that it has read or
/// made, or what takes as long.
pub(crate) struct Work<'l> {
    lua: &'l Lua,
    left: Cell<usize>,
}

/// What a value counts for beside its bytes.
pub(crate) const VALUE_BYTES: usize = 16;

impl<'l> Work<'l> {
    /// Nothing is done yet.
    pub(crate) fn new(lua: &'l Lua) -> Work<'l> {
        Work {
            lua,
            left: Cell::new(WORK_BYTES_PER_TICK),
        }
    }

    /// Something was done. Others may be served meanwhile, or the script may have to end.
    #[inline]
    pub(crate) fn did(&self, bytes: usize) -> mlua::Result<()> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => self.tick(bytes),
        }
    }

    #[cold]
    fn tick(&self, bytes: usize) -> mlua::Result<()> {
        let tick: Function = self.lua.named_registry_value(TICK)?;
        for _ in 0..bytes.div_ceil(WORK_BYTES_PER_TICK) {
            tick.call::<()>(())?;
        }
        self.left.set(WORK_BYTES_PER_TICK);
        Ok(())
    }

    /// The same for something that adds to these bytes.
    ///
    /// # Errors
    /// They are more than one call may make.
    #[inline]
    pub(crate) fn made(&self, out: &[u8], bytes: usize) -> Result<(), Failure> {
        if out.len().saturating_add(bytes) > MADE_BYTES_MAX {
            return fail("not enough memory");
        }
        Ok(self.did(bytes)?)
    }
}
