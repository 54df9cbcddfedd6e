//! Output files: each appears complete or not at all.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

/// A file to be written at the end of a run.
pub struct Target {
    path: PathBuf,
    /// A pipe or a device cannot be replaced, so it is written to directly.
    special: bool,
}

impl Target {
    /// Checks, before a long run, that its results can be written.
    pub fn new(path: &Path) -> Result<Target> {
        let shown = path.display();
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let kind = fs::metadata(&path).ok();
        if kind.as_ref().is_some_and(fs::Metadata::is_dir) {
            bail!("`{shown}` is a directory: name a file in it");
        }
        let special = kind.as_ref().is_some_and(|kind| !kind.is_file());
        let target = Target { path, special };
        if special {
            OpenOptions::new()
                .write(true)
                .open(&target.path)
                .with_context(|| format!("`{shown}` cannot be written"))?;
        } else {
            if kind.is_some_and(|kind| kind.permissions().readonly()) {
                bail!("`{shown}` is read-only");
            }
            let folder = target.folder();
            if !folder.is_dir() {
                bail!("`{shown}` cannot be written: there is no folder `{}`", folder.display());
            }
            target.temporary().with_context(|| format!("`{shown}` cannot be written"))?;
        }
        Ok(target)
    }

    /// Whether writing one of them would replace the other.
    pub fn is(&self, other: &Target) -> bool {
        let place = |target: &Target| {
            let folder = fs::canonicalize(target.folder()).ok();
            (folder, target.path.file_name().map(ToOwned::to_owned))
        };
        !self.special && place(self) == place(other)
    }

    /// Writes the whole text, then moves it into place.
    pub fn write(&self, text: &str) -> Result<()> {
        let failed = || format!("`{}` cannot be written", self.path.display());
        if self.special {
            return fs::write(&self.path, text).with_context(failed);
        }
        let mut file = self.temporary().with_context(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).with_context(failed)?;
        file.persist(&self.path).map_err(|error| error.error).with_context(failed)?;
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// A temporary file next to the target; it is deleted unless it replaces the target.
    fn temporary(&self) -> Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".whatcart-");
        #[cfg(unix)]
        let permissions = {
            use std::os::unix::fs::PermissionsExt;
            fs::metadata(&self.path).map_or(fs::Permissions::from_mode(0o666), |kind| kind.permissions())
        };
        #[cfg(unix)]
        builder.permissions(permissions);
        Ok(builder.tempfile_in(self.folder())?)
    }
}
