//! Scripts that were compiled, by their names.
//!
//! The interpreter has room for some thousand values that are held from outside. So scripts lie in
//! a table of its own, and what is held is that table.

use std::collections::BTreeMap;

use engine::scripting::Sha;
use mlua::{Function, Lua, Table, Value as Any};

/// The scripts.
#[derive(Debug)]
pub(crate) struct Kept {
    table: Table,
    places: BTreeMap<Sha, usize>,
    /// Places that scripts have left.
    free: Vec<usize>,
}

impl Kept {
    /// None, in this interpreter.
    pub(crate) fn new(lua: &Lua) -> mlua::Result<Kept> {
        Ok(Kept {
            table: lua.create_table()?,
            places: BTreeMap::new(),
            free: Vec::new(),
        })
    }

    /// Keeps a script.
    pub(crate) fn put(&mut self, name: Sha, script: Function) -> mlua::Result<()> {
        let known = self.places.get(&name).copied();
        let place = known.or_else(|| self.free.pop());
        let place = place.unwrap_or(self.places.len() + 1);
        self.places.insert(name, place);
        self.table.raw_set(place, script)
    }

    /// Forgets a script.
    pub(crate) fn remove(&mut self, name: Sha) -> mlua::Result<()> {
        match self.places.remove(&name) {
            Some(place) => {
                self.free.push(place);
                self.table.raw_set(place, Any::Nil)
            }
            None => Ok(()),
        }
    }

    /// Where a script is: the table that it lies in, and its place there.
    pub(crate) fn get(&self, name: Sha) -> Option<(&Table, usize)> {
        let place = self.places.get(&name)?;
        Some((&self.table, *place))
    }
}
