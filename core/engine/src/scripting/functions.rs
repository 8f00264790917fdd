//! What functions there are: what was worked out of the libraries' texts, and what runs them.
//!
//! This is no state: it follows from the texts, which are in the store, and is brought into step
//! with them before it is asked. A replay leaves it behind.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use resp::{ArgvBuf, Large};

use crate::scripting::{Function, LibraryId, ScriptFlags, ScriptHost};
use crate::time::Now;

/// A library that was read: its host can run its functions.
#[derive(Debug, Clone)]
pub struct ReadLibrary {
    /// Its name.
    pub name: Box<[u8]>,
    /// What its host knows it by.
    pub id: LibraryId,
    /// Its text.
    pub code: Large,
    /// Its functions, in the order in which it registered them. None, if it cannot be read: it
    /// comes from a file then.
    pub functions: Vec<Function>,
}

impl ReadLibrary {
    /// About how many bytes its functions take here.
    pub fn functions_bytes(&self) -> usize {
        let bytes = |function: &Function| {
            let description = function.description.as_deref().unwrap_or_default();
            FUNCTION_BYTES + 2 * function.name.len() + description.len()
        };
        self.functions.iter().map(bytes).sum()
    }
}

/// About how many bytes a function takes beside its texts.
const FUNCTION_BYTES: usize = size_of::<Function>() + size_of::<Named>();

/// A function, to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionRef {
    /// Its library.
    pub library: LibraryId,
    /// Its number in the library.
    pub index: u32,
    /// What it says that it will not do.
    pub flags: ScriptFlags,
}

#[derive(Debug)]
struct Named {
    name: Box<[u8]>,
    function: FunctionRef,
}

/// A function that is not finished.
#[derive(Debug, Clone)]
pub struct Running {
    /// Its name.
    pub name: Box<[u8]>,
    /// The request that runs it.
    pub request: ArgvBuf,
    /// When it began.
    pub begun: Now,
}

/// The functions of all libraries, and what runs them.
#[derive(Debug, Default)]
pub struct Functions {
    /// What runs them; not here while one runs.
    pub(crate) host: Option<Box<dyn ScriptHost>>,
    libraries: BTreeMap<Box<[u8]>, ReadLibrary>,
    /// By name, without regard to the case of letters.
    by_name: Vec<Named>,
    /// Bytes that the functions take here.
    bytes: usize,
    /// The version of the libraries that this follows from.
    in_step_with: Option<u64>,
    last_id: u64,
    /// The one that is not finished.
    pub running: Option<Running>,
}

impl Functions {
    /// Gives what runs functions. It is not shared with scripts: what a library keeps for its
    /// functions is not to go with `SCRIPT FLUSH`.
    pub fn set_host(&mut self, host: Box<dyn ScriptHost>) {
        self.host = Some(host);
    }

    /// How many functions can be called.
    pub fn len(&self) -> usize {
        let functions = |library: &ReadLibrary| library.functions.len();
        self.libraries.values().map(functions).sum()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// About how many bytes all this takes, without texts and what the host makes of them.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The memory of what runs them, in bytes.
    pub fn host_bytes(&self) -> u64 {
        self.host.as_ref().map_or(0, |host| host.used_bytes())
    }

    /// The library of a name, if it was read.
    pub fn library(&self, name: &[u8]) -> Option<&ReadLibrary> {
        self.libraries.get(name)
    }

    /// A function, by its name in any case of letters.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<FunctionRef> {
        let place = self
            .by_name
            .binary_search_by(|named| compare(&named.name, name));
        place.ok().map(|place| self.by_name[place].function)
    }

    /// The name of a function as it was registered.
    pub(crate) fn name_of(&self, library: LibraryId, index: u32) -> Option<&[u8]> {
        let mut libraries = self.libraries.values();
        let library = libraries.find(|read| read.id == library)?;
        let function = library.functions.get(usize::try_from(index).ok()?)?;
        Some(&function.name)
    }

    /// The first function of new libraries that is there already: in another of them, or in one
    /// that stays, because it is not `replaced`.
    pub fn clash<'n>(
        &self,
        new: impl Iterator<Item = &'n ReadLibrary>,
        replaced: impl Fn(&[u8]) -> bool,
    ) -> Option<&'n [u8]> {
        let going = self.libraries.iter().filter(|(name, _)| replaced(name));
        let going: BTreeSet<LibraryId> = going.map(|(_, library)| library.id).collect();
        let mut seen = BTreeSet::new();
        for library in new {
            let functions = || library.functions.iter().map(|function| &*function.name);
            let clashes = |name: &&[u8]| {
                let stays = self.find(name).filter(|it| !going.contains(&it.library));
                stays.is_some() || seen.contains(&name.to_ascii_lowercase())
            };
            if let Some(name) = functions().find(clashes) {
                return Some(name);
            }
            seen.extend(functions().map(<[u8]>::to_ascii_lowercase));
        }
        None
    }

    /// A number that no library had.
    pub(crate) fn next_id(&mut self) -> LibraryId {
        self.last_id += 1;
        LibraryId(self.last_id)
    }

    /// Returns whether this follows from the libraries of that version.
    #[inline]
    pub(crate) fn is_in_step(&self, version: u64) -> bool {
        self.in_step_with == Some(version)
    }

    /// The libraries come from a file now, whatever their version: all is forgotten.
    pub(crate) fn start_over(&mut self) {
        self.clear(0);
        self.in_step_with = None;
    }

    /// Libraries were read; it follows from those of this version now.
    pub(crate) fn put(&mut self, read: impl IntoIterator<Item = ReadLibrary>, version: u64) {
        for library in read {
            if let Some(old) = self.libraries.insert(library.name.clone(), library) {
                self.forget(old.id);
            }
        }
        self.in_step_with = Some(version);
        self.index();
    }

    /// Forgets the libraries that do not stay.
    pub(crate) fn retain(&mut self, stays: impl Fn(&[u8], &ReadLibrary) -> bool) {
        let mut gone = Vec::new();
        self.libraries.retain(|name, library| {
            let stays = stays(name, library);
            gone.extend((!stays).then_some(library.id));
            stays
        });
        gone.into_iter().for_each(|id| self.forget(id));
        self.index();
    }

    /// All libraries are gone, up to this version: nothing is left of what they kept.
    pub(crate) fn clear(&mut self, version: u64) {
        self.libraries.clear();
        if let Some(host) = &mut self.host {
            host.clear();
        }
        self.in_step_with = Some(version);
        self.index();
    }

    /// Lets the host forget a library.
    pub(crate) fn forget(&mut self, library: LibraryId) {
        if let Some(host) = &mut self.host {
            host.unload(library);
        }
    }

    fn index(&mut self) {
        let libraries = self.libraries.values();
        self.bytes = libraries.map(ReadLibrary::functions_bytes).sum();
        let libraries = self.libraries.values();
        self.by_name = libraries
            .flat_map(|library| {
                (0..).zip(&library.functions).map(|(index, it)| Named {
                    name: it.name.clone(),
                    function: FunctionRef {
                        library: library.id,
                        index,
                        flags: it.flags,
                    },
                })
            })
            .collect();
        // Of two functions of a library whose names differ in case alone, the first is called.
        self.by_name.sort_by(|a, b| compare(&a.name, &b.name));
        self.by_name
            .dedup_by(|later, first| compare(&later.name, &first.name).is_eq());
    }
}

/// Compares names without regard to the case of letters.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    a.iter()
        .map(u8::to_ascii_lowercase)
        .cmp(b.iter().map(u8::to_ascii_lowercase))
}
