//! Scenario files on disk.

use std::fs::{File, metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::error::ScenarioError;
use super::library;

/// The largest scenario file that is accepted.
const MOST_BYTES: u64 = 1 << 20;

/// Reads a scenario file.
///
/// # Errors
///
/// The file does not exist, cannot be read, is a directory, is too large or is not UTF-8. Each error says what to do
/// next.
pub fn read(path: &Path) -> Result<String, ScenarioError> {
    let shown = path.display();
    let bytes = bytes(path).map_err(|error| refused(path, &error))?;
    if bytes.len() as u64 > MOST_BYTES {
        let help = "is it the file you meant? A scenario is a few kB of TOML".to_owned();
        return Err(ScenarioError::new(format!("`{shown}` is larger than 1 MiB"), Some(help)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..valid]).matches('\n').count() + 1;
        let message = format!("`{shown}` is not UTF-8: byte {valid}, on line {line}, is not part of a valid character");
        ScenarioError::new(message, Some("save it as UTF-8 text".to_owned()))
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    if metadata(path)?.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refused(path: &Path, error: &io::Error) -> ScenarioError {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound if is_plain_name(path) => {
            let name = path.to_string_lossy();
            let help = match library::nearest(&name) {
                Some(near) => format!("did you mean `{near}`? `whatcart list` shows them all"),
                None => "`whatcart list` shows the scenarios there are; `whatcart init FILE` writes one to start from"
                    .into(),
            };
            ScenarioError::new(format!("there is no scenario and no file `{name}`"), Some(help))
        }
        ErrorKind::NotFound => {
            let help = "`whatcart init FILE` writes a scenario to start from".to_owned();
            ScenarioError::new(format!("there is no file `{shown}`"), Some(help))
        }
        ErrorKind::IsADirectory => {
            ScenarioError::new(format!("`{shown}` is a directory"), Some("name a scenario file in it".to_owned()))
        }
        ErrorKind::PermissionDenied => {
            let help = "check its permissions".to_owned();
            ScenarioError::new(format!("there is no permission to read `{shown}`"), Some(help))
        }
        _ => ScenarioError::new(format!("`{shown}` cannot be read: {error}"), None),
    }
}

/// Whether the argument looks like the name of a scenario rather than of a file.
fn is_plain_name(path: &Path) -> bool {
    path.extension().is_none() && path.components().count() == 1 && path.parent() == Some(Path::new(""))
}
