//! A library of functions: what its first line says, and what its functions say of themselves.

use crate::error::LibraryError;
use crate::scripting::ScriptFlags;

/// What the first line of a library says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The name of the library.
    pub name: Box<[u8]>,
}

impl Metadata {
    /// Reads the first line of a library: `#!lua name=mylib`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(code: &[u8]) -> Result<Metadata, LibraryError> {
        if !code.starts_with(b"#!") {
            return Err(LibraryError::MetadataMissing);
        }
        let end = code.iter().position(|byte| *byte == b'\n');
        let line = end.and_then(|end| code.get(..end));
        let line = line.ok_or(LibraryError::MetadataInvalid)?;
        let words = resp::split_line(line).map_err(|_| LibraryError::MetadataInvalid)?;
        let mut words = words.as_argv().iter();
        let engine = words.next().and_then(|word| word.get(2..));
        let mut name = None;
        for word in words {
            let given = word
                .split_at_checked(NAME.len())
                .filter(|(option, _)| option.eq_ignore_ascii_case(NAME));
            let Some((_, given)) = given else {
                return Err(LibraryError::MetadataValue(shown(word)));
            };
            if name.replace(given).is_some() {
                return Err(LibraryError::NameTwice);
            }
        }
        let name = name.ok_or(LibraryError::NameMissing)?;
        if !is_name(name) {
            return Err(LibraryError::Name);
        }
        let engine = engine.unwrap_or_default();
        match engine.eq_ignore_ascii_case(b"lua") {
            true => Ok(Metadata { name: name.into() }),
            false => Err(LibraryError::Engine(shown(engine))),
        }
    }
}

/// What a library says of its name.
const NAME: &[u8] = b"name=";

/// Returns whether libraries and functions may be called this.
pub fn is_name(name: &[u8]) -> bool {
    let is_fine = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_fine)
}

/// A text of a request, for an error.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// What a function says of itself, when a library registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name, by which it is called, in any case of letters.
    pub name: Box<[u8]>,
    /// What it is for.
    pub description: Option<Box<[u8]>>,
    /// What it will not do.
    pub flags: ScriptFlags,
}

/// Names a library to what runs it; no two have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LibraryId(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_a_library() {
        let read = |code: &str| {
            let name = Metadata::parse(code.as_bytes())?.name;
            Ok::<_, LibraryError>(String::from_utf8_lossy(&name).into_owned())
        };
        for code in [
            "#!lua name=lib\n",
            "#!LUA NAME=lib\nreturn",
            "#!lua  name=\"lib\"\n",
            "#!\"lua\"\tname='lib'\r\n",
            "#!lua name=\"\\x6cib\"\n",
        ] {
            assert_eq!(read(code), Ok("lib".to_owned()), "{code:?}");
        }
        let value = |text: &str| LibraryError::MetadataValue(text.to_owned());
        for (code, error) in [
            ("", LibraryError::MetadataMissing),
            ("return 1", LibraryError::MetadataMissing),
            ("#!lua name=lib", LibraryError::MetadataInvalid),
            ("#!lua name='lib\n", LibraryError::MetadataInvalid),
            ("#!lua name=\"a\"b\n", LibraryError::MetadataInvalid),
            ("#!lua\n", LibraryError::NameMissing),
            ("#! \n", LibraryError::NameMissing),
            ("#! lua name=lib\n", value("lua")),
            ("#!lua name\n", value("name")),
            ("#!lua name=a flags=no-writes\n", value("flags=no-writes")),
            ("#!lua name=a name=b\n", LibraryError::NameTwice),
            ("#!lua name=\n", LibraryError::Name),
            ("#!lua name=a-b\n", LibraryError::Name),
            ("#!js name=a\n", LibraryError::Engine("js".to_owned())),
        ] {
            assert_eq!(read(code), Err(error), "{code:?}");
        }
    }
}
