//! Files that the server writes for its administrator: the configuration file (`CONFIG REWRITE`),
//! and that of users (`ACL SAVE`).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use engine::config::{Settings, rewritten};
use journal::open_regular;

use crate::limits::USERS_FILE_BYTES_MAX;

/// Rewrites a configuration file for `settings` and users, a line each. An existing file keeps its
/// permissions; a crash leaves either the old text or the new one.
///
/// # Errors
/// What the system says.
pub(crate) fn rewrite(path: &Path, settings: &Settings, users: &[String]) -> io::Result<()> {
    replace(path, |text| rewritten(&text, settings, users).into_bytes())
}

/// Writes a file of users. An existing file keeps its permissions; a crash leaves either the old
/// text or the new one.
///
/// # Errors
/// What the system says.
pub(crate) fn write_users(path: &Path, users: Vec<u8>) -> io::Result<()> {
    replace(path, |_| users)
}

/// Reads a file of users.
///
/// # Errors
/// What the system says, or that it is too long.
pub fn read_users(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let file = open_regular(File::options().read(true), path)?;
    file.take(USERS_FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > USERS_FILE_BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn replace(path: &Path, new: impl FnOnce(String) -> Vec<u8>) -> io::Result<()> {
    let (text, permissions) = match open_regular(File::options().read(true), path) {
        Ok(file) => {
            let permissions = file.metadata()?.permissions();
            let mut text = Vec::new();
            (&file).read_to_end(&mut text)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            (text, Some(permissions))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), None),
        Err(error) => return Err(error),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!("temp-{}-{name}", std::process::id()));
    let written =
        write(&temporary, &new(text), permissions).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What a failed attempt leaves is useless, and it does not matter if it cannot be removed.
        fs::remove_file(&temporary).ok();
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write(path: &Path, text: &[u8], permissions: Option<fs::Permissions>) -> io::Result<()> {
    let mut options = File::options();
    let mut file = open_regular(options.write(true).create(true).truncate(true), path)?;
    if let Some(permissions) = permissions {
        file.set_permissions(permissions)?;
    }
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_rewritten_in_place_with_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weir.conf");
        fs::write(&path, "# mine\ntimeout 5\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let mut settings = Settings::default();
        settings.set("timeout", "6").unwrap();
        rewrite(&path, &settings, &[]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\ntimeout 6\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_no_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gone/weir.conf");
        assert!(rewrite(&path, &Settings::default(), &[]).is_err());
    }
}
