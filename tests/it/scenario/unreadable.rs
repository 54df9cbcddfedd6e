//! Scenario files on disk that cannot be read.

use std::fs::write;
use std::path::Path;

use whatcart::scenario::read::read;

/// The error for a path in a new directory, in which `prepare` creates it.
fn said(name: &str, prepare: impl FnOnce(&Path)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    prepare(&path);
    let drawn = read(&path).unwrap_err().draw(false, 100);
    drawn.replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn a_good_file_is_read() {
    let file = tempfile::NamedTempFile::new().unwrap();
    write(file.path(), "title = \"ü\"").unwrap();
    assert_eq!(read(file.path()).unwrap(), "title = \"ü\"");
}

#[test]
fn a_missing_file() {
    insta::assert_snapshot!(said("mine.toml", |_| ()), @"
    error: there is no file `mine.toml`
    help: `whatcart init FILE` writes a scenario to start from
    ");
}

#[test]
fn a_misspelt_scenario() {
    insta::assert_snapshot!(read(Path::new("stiky-crash")).unwrap_err().draw(false, 100), @"
    error: there is no scenario and no file `stiky-crash`
    help: did you mean `sticky-crash`? `whatcart list` shows them all
    ");
}

#[test]
fn a_name_that_resembles_none() {
    insta::assert_snapshot!(read(Path::new("weather")).unwrap_err().draw(false, 100), @"
    error: there is no scenario and no file `weather`
    help: `whatcart list` shows the scenarios there are; `whatcart init FILE` writes one to
          start from
    ");
}

#[test]
fn a_directory() {
    insta::assert_snapshot!(said("mine.toml", |path| std::fs::create_dir(path).unwrap()), @"
    error: `mine.toml` is a directory
    help: name a scenario file in it
    ");
}

#[test]
fn bytes_that_are_no_text() {
    insta::assert_snapshot!(said("mine.toml", |path| write(path, b"a = 1\nb = \"\xff\"\n").unwrap()), @"
    error: `mine.toml` is not UTF-8: byte 11, on line 2, is not part of a valid
           character
    help: save it as UTF-8 text
    ");
}

#[test]
fn a_file_that_is_too_large() {
    insta::assert_snapshot!(said("mine.toml", |path| write(path, vec![b'\n'; (1 << 20) + 1]).unwrap()), @"
    error: `mine.toml` is larger than 1 MiB
    help: is it the file you meant? A scenario is a few kB of TOML
    ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_end() {
    assert!(read(Path::new("/dev/zero")).unwrap_err().message.contains("larger than 1 MiB"));
}
