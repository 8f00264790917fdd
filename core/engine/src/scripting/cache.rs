//! The scripts that are known by their names.
//!
//! Those that came with `EVAL` are kept as long as they are not too many and not too long in all:
//! the one that was used least recently goes. Those of `SCRIPT LOAD` stay, because clients rely on
//! it.

use std::collections::BTreeMap;

use resp::Argv;

use crate::error::{CmdError, ScriptError};
use crate::limits::{CACHED_SCRIPTS_BYTES_MAX, CACHED_SCRIPTS_MAX, LOADED_SCRIPTS_BYTES_MAX};
use crate::scripting::{Runs, ScriptHost, Sha, Shebang};

/// A script that is known.
#[derive(Debug, Clone)]
pub struct Script {
    /// Bytes of its text, which only the host needs.
    bytes: usize,
    /// What its first line says.
    pub shebang: Shebang,
    /// It was loaded to stay.
    stays: bool,
    /// When it was used last, counted in uses of all.
    used: u64,
}

/// The scripts that are known, and what runs them.
#[derive(Debug, Default)]
pub struct Scripts {
    by_name: BTreeMap<Sha, Script>,
    /// How many of them do not stay.
    passing: usize,
    /// Bytes of their texts.
    bytes: usize,
    /// Bytes of the texts of those that stay.
    staying_bytes: usize,
    /// Uses of all.
    uses: u64,
    /// How many went because there were too many.
    pub evicted: u64,
    /// What runs them; not here while one runs.
    pub(crate) host: Option<Box<dyn ScriptHost>>,
}

/// A script or function that a command runs.
#[derive(Debug, Clone, Copy)]
pub struct ScriptCall<'a> {
    /// Which.
    pub runs: Runs,
    /// What it says of itself.
    pub shebang: Shebang,
    /// The names of keys that it is given.
    pub keys: Argv<'a>,
    /// The other arguments.
    pub args: Argv<'a>,
    /// The command may not write (`EVAL_RO`).
    pub read_only: bool,
    /// The whole request.
    pub request: Argv<'a>,
}

/// About how many bytes a script takes beside its text.
const SCRIPT_BYTES: usize = size_of::<(Sha, Script)>() + 32;

impl Scripts {
    /// Gives what runs scripts.
    pub fn set_host(&mut self, host: Box<dyn ScriptHost>) {
        self.host = Some(host);
    }

    /// Returns how many scripts are known.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Returns whether no script is known.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// About how many bytes the scripts take, without what their host makes of them.
    pub fn bytes(&self) -> usize {
        self.bytes + self.by_name.len() * SCRIPT_BYTES
    }

    /// The memory of what runs them, in bytes.
    pub fn host_bytes(&self) -> u64 {
        self.host.as_ref().map_or(0, |host| host.used_bytes())
    }

    /// Returns whether a script is known.
    pub fn contains(&self, name: Sha) -> bool {
        self.by_name.contains_key(&name)
    }

    /// Notes a use of a script. Returns what its first line says, if it is known.
    #[inline]
    pub fn use_script(&mut self, name: Sha) -> Option<Shebang> {
        self.uses += 1;
        let script = self.by_name.get_mut(&name)?;
        script.used = self.uses;
        Some(script.shebang)
    }

    /// Makes a script known, and uses it. If it `stays`, only [`Scripts::clear`] ends that.
    ///
    /// # Errors
    /// It cannot be read, or too much was loaded to stay.
    pub fn add(&mut self, name: Sha, body: &[u8], stays: bool) -> Result<Shebang, CmdError> {
        if let Some(shebang) = self.use_script(name) {
            if stays {
                self.let_stay(name)?;
            }
            return Ok(shebang);
        }
        let shebang = Shebang::parse(body)?;
        if stays {
            self.check_room(body.len())?;
        } else {
            self.make_room(body.len());
        }
        let host = self
            .host
            .as_mut()
            .ok_or(CmdError::Script(ScriptError::NoScripts))?;
        host.compile(name, body).map_err(|error| {
            CmdError::Script(ScriptError::ScriptNotRead(
                String::from_utf8_lossy(&error).into(),
            ))
        })?;
        self.bytes += body.len();
        self.passing += usize::from(!stays);
        self.staying_bytes += if stays { body.len() } else { 0 };
        let script = Script {
            bytes: body.len(),
            shebang,
            stays,
            used: self.uses,
        };
        self.by_name.insert(name, script);
        Ok(shebang)
    }

    /// Forgets all scripts.
    pub fn clear(&mut self) {
        self.by_name = BTreeMap::new();
        (self.passing, self.bytes, self.staying_bytes) = (0, 0, 0);
        if let Some(host) = &mut self.host {
            host.clear();
        }
    }

    fn check_room(&self, bytes: usize) -> Result<(), CmdError> {
        match self.staying_bytes.saturating_add(bytes + SCRIPT_BYTES) <= LOADED_SCRIPTS_BYTES_MAX {
            true => Ok(()),
            false => Err(CmdError::Script(ScriptError::TooManyScripts)),
        }
    }

    fn let_stay(&mut self, name: Sha) -> Result<(), CmdError> {
        let found = self.by_name.get(&name).filter(|script| !script.stays);
        let Some(bytes) = found.map(|script| script.bytes) else {
            return Ok(());
        };
        self.check_room(bytes)?;
        if let Some(script) = self.by_name.get_mut(&name) {
            script.stays = true;
            self.passing -= 1;
            self.staying_bytes += bytes;
        }
        Ok(())
    }

    /// Forgets scripts that do not stay, if there would be too many with another one.
    fn make_room(&mut self, bytes: usize) {
        while self.passing > 0
            && (self.passing >= CACHED_SCRIPTS_MAX
                || self.bytes - self.staying_bytes + bytes > CACHED_SCRIPTS_BYTES_MAX)
        {
            self.evict();
        }
    }

    /// Forgets the script that was used least recently, of those that do not stay.
    fn evict(&mut self) {
        let passing = self.by_name.iter().filter(|(_, script)| !script.stays);
        let oldest = passing.min_by_key(|(_, script)| script.used);
        let Some(name) = oldest.map(|(name, _)| *name) else {
            return;
        };
        if let Some(script) = self.by_name.remove(&name) {
            self.bytes -= script.bytes;
            self.passing -= 1;
            self.evicted += 1;
        }
        if let Some(host) = &mut self.host {
            host.forget(name);
        }
    }
}
