//! The files of the page, as they were when the program was built.

include!(concat!(env!("OUT_DIR"), "/page_files.rs"));

/// Says to the page that calls go over HTTP.
const ENGINE: &[u8] = b"{ \"engine\": \"http\" }\n";

/// A file and its content type.
pub fn find(path: &str) -> Option<(&'static [u8], &'static str)> {
    let name = match path {
        "/" => "index.html",
        "/engine.json" => return Some((ENGINE, "application/json")),
        _ => path.strip_prefix('/')?,
    };
    let (name, bytes) = FILES.iter().find(|(known, _)| *known == name)?;
    Some((bytes, content_type(name)))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}
