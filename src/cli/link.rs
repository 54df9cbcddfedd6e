//! `run --link`: a link of the page as a run, and a run as a link.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use whatcart::base::words::thousands;
use whatcart::faces::text::clean;
use whatcart::link::{self, LONGEST_PACKED, Link};
use whatcart::scenario::{Loaded, library, nearest};

use super::request::Run;
use super::screen::Screen;
use super::source::{self, Source};
use super::{Failure, usage};

/// Where `whatcart serve` has the page unless it is told otherwise.
pub const PAGE: &str = "http://127.0.0.1:7357/";
/// The longest text of a scenario that is unpacked, in bytes.
const LONGEST_TEXT: usize = 256 * 1024;
/// How hard the packing tries, of 10.
const LEVEL: u8 = 9;

/// The run that a link describes, with what else was asked for, and its scenario. What is said twice holds as the flags say it.
pub fn opened(url: &str, request: &Run, screen: &Screen) -> Result<(Run, Source), Failure> {
    let help = "give the whole link in quotes, with everything after its #, as the page's `l` copies it";
    let (link, ignored) = link::read(url).map_err(|error| usage(error.to_string(), help))?;
    for part in ignored {
        screen.complain(&format!("Left out, because this version does not know it: `{}`", clean(&part)));
    }
    let source = match &link.packed {
        Some(packed) => {
            let name = link.scenario.clone();
            Source { file: format!("{name}.toml"), name, text: unpacked(packed)?.into() }
        }
        None => known(&link.scenario)?,
    };
    let mut run = Run { link: None, ..request.clone() };
    run.what = if link.packed.is_some() { source.file.clone() } else { source.name.clone() };
    run.seed = request.seed.or(link.seed);
    run.follow = request.follow.or(link.user);
    run.set = [link.set, request.set.clone()].concat();
    run.by_hand = [link.deeds, request.by_hand.clone()].concat();
    Ok((run, source))
}

/// Only scenarios of the program: a link opens no files.
fn known(name: &str) -> Result<Source, Failure> {
    if library::find(name).is_some() {
        return source::find(name);
    }
    let help = nearest::suggest(name, "`whatcart list` shows them", library::all().iter().map(|entry| entry.name));
    Err(usage(
        format!("this link is about a scenario `{name}`, which does not come with the program"),
        help.unwrap_or_default(),
    ))
}

fn unpacked(packed: &str) -> Result<String, Failure> {
    let bytes = URL_SAFE_NO_PAD.decode(packed.trim_end_matches('=')).ok();
    let text = bytes.and_then(|bytes| decompress_to_vec_with_limit(&bytes, LONGEST_TEXT).ok());
    text.and_then(|text| String::from_utf8(text).ok()).ok_or_else(|| {
        let help = "it was perhaps cut off: ask for the scenario's file";
        usage("the scenario in this link cannot be unpacked", help)
    })
}

/// The link that shows a run on the page at this address.
pub fn of(request: &Run, source: &Source, loaded: &Loaded, page: &str) -> Result<String, Failure> {
    if !request.vary.is_empty() {
        return Err(usage("a link cannot say --vary", "leave it out, or give one of the values with --set"));
    }
    let packed = if library::find(&request.what).is_some() { None } else { Some(packed(&source.text)?) };
    let designs = if request.only.is_empty() { &[][..] } else { &loaded.variants };
    let link = Link {
        scenario: if packed.is_some() { called(&source.name) } else { source.name.clone() },
        packed,
        designs: designs.iter().map(|variant| variant.number.design).collect(),
        seed: request.seed,
        set: request.set.clone(),
        deeds: request.by_hand.clone(),
        time: None,
        user: request.follow,
    };
    let link = format!("{}{}", page.split('#').next().unwrap_or_default(), link.fragment());
    if link.len() > link::LONGEST {
        return Err(usage("this run is too long for a link", "put its changes into a file of its own"));
    }
    Ok(link)
}

fn packed(text: &str) -> Result<String, Failure> {
    let packed = URL_SAFE_NO_PAD.encode(compress_to_vec(text.as_bytes(), LEVEL));
    if packed.len() <= LONGEST_PACKED {
        return Ok(packed);
    }
    let most = thousands(LONGEST_PACKED as u64);
    let message =
        format!("this scenario is too long for a link: {} characters, packed", thousands(packed.len() as u64));
    Err(usage(message, format!("a link takes {most}: send the file")))
}

/// A name as links write it.
fn called(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = name.chars().map(letter).take(60).collect();
    if name.is_empty() { "mine".into() } else { name }
}
