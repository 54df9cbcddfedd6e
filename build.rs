//! Lists the files of the page, which `whatcart serve` contains.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("page/dist");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = if folder.is_dir() { Some(fs::read_dir(&folder)?) } else { None };
    let mut names: Vec<_> = entries.into_iter().flatten().map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    names.sort();
    let mut list = String::from("const FILES: &[(&str, &[u8])] = &[\n");
    for path in names.iter().filter(|path| path.is_file()) {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        writeln!(list, "    ({name:?}, include_bytes!({:?})),", path.to_string_lossy()).expect("a text takes more");
    }
    list += "];\n";
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("page_files.rs"), list)
}
